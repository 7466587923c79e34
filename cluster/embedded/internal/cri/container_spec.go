package cri

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/container"
	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
)

// processSpec says what runs: the pod's words over the image's.
func processSpec(config *runtimeapi.ContainerConfig, img image.Image, pod *sandbox) (container.Process, error) {
	sc := config.GetLinux().GetSecurityContext()
	p := container.Process{
		Args:            commandLine(config, img),
		Env:             environment(config, img, pod.hostName()),
		WorkingDir:      config.GetWorkingDir(),
		NoNewPrivileges: sc.GetNoNewPrivs(),
		Terminal:        config.GetTty(),
		Stdin:           config.GetStdin(),
	}
	if p.WorkingDir == "" {
		p.WorkingDir = img.WorkingDir
	}
	if len(p.Args) == 0 {
		return p, fmt.Errorf("no command: neither the pod nor image %s names one", img.Names[0])
	}
	if err := checkProfiles(sc); err != nil {
		return p, err
	}
	var err error
	if p.User, err = userSpec(sc, img); err != nil {
		return p, err
	}
	p.Capabilities, p.Ambient, err = capabilities(sc)
	return p, err
}

// commandLine follows Kubernetes: a command replaces the image's entrypoint and
// drops its default arguments, arguments replace only the latter.
func commandLine(config *runtimeapi.ContainerConfig, img image.Image) []string {
	command, args := config.GetCommand(), config.GetArgs()
	if len(command) == 0 {
		command = img.Entrypoint
		if len(args) == 0 {
			args = img.Cmd
		}
	}
	return slices.Concat(command, args)
}

// environment has one entry a name; the pod's replaces the image's.
func environment(config *runtimeapi.ContainerConfig, img image.Image, hostName string) []string {
	var env []string
	at := map[string]int{}
	set := func(entry string) {
		name, _, _ := strings.Cut(entry, "=")
		if i, ok := at[name]; ok {
			env[i] = entry
			return
		}
		at[name] = len(env)
		env = append(env, entry)
	}
	set("HOSTNAME=" + hostName)
	for _, e := range img.Env {
		set(e)
	}
	for _, e := range config.GetEnvs() {
		set(e.GetKey() + "=" + string(e.GetValue()))
	}
	return env
}

func userSpec(sc *runtimeapi.LinuxContainerSecurityContext, img image.Image) (container.UserSpec, error) {
	u := container.UserSpec{
		Image: img.User, Name: sc.GetRunAsUsername(), Groups: sc.GetSupplementalGroups(),
		Strict: sc.GetSupplementalGroupsPolicy() == runtimeapi.SupplementalGroupsPolicy_Strict,
	}
	if v := sc.GetRunAsUser(); v != nil {
		uid := v.GetValue()
		u.UID = &uid
	}
	if v := sc.GetRunAsGroup(); v != nil {
		gid := v.GetValue()
		u.GID = &gid
		if u.UID == nil && u.Name == "" && u.Image == "" {
			return u, errors.New("runAsGroup without a user: set runAsUser as well")
		}
	}
	return u, nil
}

func capabilities(sc *runtimeapi.LinuxContainerSecurityContext) (all, ambient container.CapabilitySet, err error) {
	if sc.GetPrivileged() {
		return container.AllCapabilities, 0, nil
	}
	c := sc.GetCapabilities()
	if ambient, err = container.ParseCapabilities(c.GetAddAmbientCapabilities()); err != nil {
		return 0, 0, err
	}
	all, err = container.DefaultCapabilities().Adjust(slices.Concat(c.GetAddCapabilities(), c.GetAddAmbientCapabilities()), c.GetDropCapabilities())
	return all, ambient, err
}

// checkProfiles refuses profiles that somebody wrote and relies on. The
// runtime's default one is empty here: what runs is the harness's own.
func checkProfiles(sc *runtimeapi.LinuxContainerSecurityContext) error {
	if p := sc.GetSeccomp(); p.GetProfileType() == runtimeapi.SecurityProfile_Localhost {
		return fmt.Errorf("seccomp profile %q: profiles are not supported", p.GetLocalhostRef())
	}
	if p := sc.GetApparmor(); p.GetProfileType() == runtimeapi.SecurityProfile_Localhost {
		return fmt.Errorf("AppArmor profile %q: profiles are not supported", p.GetLocalhostRef())
	}
	return nil
}

// rootSpec says what the container sees of files. The function finds images,
// for volumes that are images.
func (c *ctr) rootSpec(resolve func(string) (image.Image, error)) (container.Root, error) {
	sc := c.config.GetLinux().GetSecurityContext()
	if len(c.config.GetDevices()) > 0 || len(c.config.GetCDIDevices()) > 0 {
		return container.Root{}, errors.New("devices of the node are not given to containers")
	}
	r := container.Root{
		Image: c.image.Rootfs, Upper: filepath.Join(c.dir, "upper"), Work: filepath.Join(c.dir, "work"), Target: filepath.Join(c.dir, "root"),
		Readonly: sc.GetReadonlyRootfs(), WritableSys: sc.GetPrivileged(), SharedMemory: c.pod.file(sharedMemory),
		WorkingDir: c.spec.Process.WorkingDir,
	}
	if !sc.GetPrivileged() {
		r.MaskedPaths, r.ReadonlyPaths = sc.GetMaskedPaths(), sc.GetReadonlyPaths()
	}
	for _, m := range c.config.GetMounts() {
		mount, err := mountSpec(m, resolve)
		if err != nil {
			return r, err
		}
		r.Mounts = append(r.Mounts, mount)
	}
	r.Mounts = append(c.podMounts(r.Mounts), r.Mounts...)
	// Outer mount points first, or they would hide the inner ones.
	slices.SortStableFunc(r.Mounts, func(a, b container.Mount) int {
		return strings.Count(a.Target, "/") - strings.Count(b.Target, "/")
	})
	return r, nil
}

// podMounts are the pod's own files, where kubelet gives none.
func (c *ctr) podMounts(given []container.Mount) []container.Mount {
	var mounts []container.Mount
	for _, m := range []container.Mount{
		{Source: c.pod.file(resolvConf), Target: "/etc/resolv.conf"},
		{Source: c.pod.file(hostNameFile), Target: "/etc/hostname"},
		{Source: c.pod.file(hostsFile), Target: "/etc/hosts"},
	} {
		m.Readonly = c.spec.Root.Readonly || c.config.GetLinux().GetSecurityContext().GetReadonlyRootfs()
		if !slices.ContainsFunc(given, func(g container.Mount) bool { return g.Target == m.Target }) {
			mounts = append(mounts, m)
		}
	}
	return mounts
}

func mountSpec(m *runtimeapi.Mount, resolve func(string) (image.Image, error)) (container.Mount, error) {
	spec := container.Mount{
		Source: m.GetHostPath(), Target: filepath.Clean("/" + m.GetContainerPath()),
		Readonly: m.GetReadonly(), Recursive: m.GetRecursiveReadOnly(),
	}
	if len(m.GetUidMappings())+len(m.GetGidMappings()) > 0 {
		return spec, fmt.Errorf("mount %s: id mappings are not supported", spec.Target)
	}
	if m.GetRecursiveReadOnly() && (!m.GetReadonly() || m.GetPropagation() != runtimeapi.MountPropagation_PROPAGATION_PRIVATE) {
		return spec, fmt.Errorf("mount %s: recursively read-only needs readonly and private propagation", spec.Target)
	}
	switch m.GetPropagation() {
	case runtimeapi.MountPropagation_PROPAGATION_HOST_TO_CONTAINER:
		spec.Propagation = container.HostToContainer
	case runtimeapi.MountPropagation_PROPAGATION_BIDIRECTIONAL:
		spec.Propagation = container.Bidirectional
	}
	if ref := m.GetImage().GetImage(); ref != "" {
		img, err := resolve(ref)
		if err != nil {
			return spec, fmt.Errorf("mount %s: %w", spec.Target, err)
		}
		spec.Readonly = true
		if spec.Source, err = insideImage(img, m.GetImageSubPath()); err != nil {
			return spec, fmt.Errorf("mount %s: %w", spec.Target, err)
		}
	}
	if !filepath.IsAbs(spec.Source) {
		return spec, fmt.Errorf("mount %s: source %q is not an absolute path", spec.Target, spec.Source)
	}
	return spec, nil
}

// insideImage is a directory of an image; no link in it may lead out.
func insideImage(img image.Image, sub string) (string, error) {
	path, err := filepath.EvalSymlinks(filepath.Join(img.Rootfs, filepath.Clean("/"+sub)))
	if err != nil {
		return "", err
	}
	root, err := filepath.EvalSymlinks(img.Rootfs)
	if err != nil {
		return "", err
	}
	if path != root && !strings.HasPrefix(path, root+"/") {
		return "", fmt.Errorf("sub-path %q leads out of image %s", sub, img.Names[0])
	}
	return path, nil
}
