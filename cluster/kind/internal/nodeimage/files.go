package nodeimage

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshfed/meshfed/cluster/internal/command"
	"github.com/meshfed/meshfed/cluster/internal/images"
	"github.com/meshfed/meshfed/cluster/internal/toolchain"
)

//go:embed files
var own embed.FS

// ownFiles are the contents of the files that this package brings.
func ownFiles() ([]string, error) {
	var texts []string
	err := fs.WalkDir(own, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := own.ReadFile(path)
		texts = append(texts, path, string(text))
		return err
	})
	return texts, err
}

// files are the layer of kind's own files and of what was built here.
func (in Inputs) files(ctx context.Context, root string) error {
	if err := copyNodeFiles(in.Node.NodeFiles, root); err != nil {
		return fmt.Errorf("files of kind's base image: %w", err)
	}
	if err := in.programs(root); err != nil {
		return err
	}
	if err := edit(filepath.Join(root, "etc/containerd/config.toml"), runtimeConfig); err != nil {
		return err
	}
	spec, err := in.baseSpec(ctx)
	if err != nil {
		return err
	}
	for path, content := range map[string]string{
		"etc/containerd/cri-base.json": spec,
		"kind/version":                 images.KubernetesVersion,
	} {
		if err := put(root, path, []byte(content)); err != nil {
			return err
		}
	}
	for path, name := range map[string]string{
		"kind/cni.conflist.tmpl":              "cni.conflist.tmpl",
		"kind/manifests/default-cni.yaml":     "default-cni.yaml",
		"kind/manifests/default-storage.yaml": "default-storage.yaml",
	} {
		content, err := own.ReadFile("files/" + name)
		if err != nil {
			return err
		}
		if err := put(root, path, content); err != nil {
			return err
		}
	}
	return enable(root, "kubelet", "containerd", "undo-mount-hacks")
}

// copyNodeFiles gives them the modes that kind's image description gives them:
// a Go module keeps none.
func copyNodeFiles(from, root string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := put(root, rel, content); err != nil {
			return err
		}
		if strings.Contains(rel, "/bin/") {
			return os.Chmod(filepath.Join(root, rel), 0o755)
		}
		return nil
	})
}

func put(root, path string, content []byte) error {
	at := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return os.WriteFile(at, content, 0o644)
}

func (in Inputs) programs(root string) error {
	for dir, list := range map[string][]string{
		"usr/bin":       {in.Node.Path(toolchain.Kubeadm), in.Lab.Path(toolchain.Kubelet), in.Lab.Path(toolchain.Kubectl)},
		"usr/local/bin": {in.Node.Path(toolchain.Containerd), in.Node.Path(toolchain.ContainerdShim), in.Node.Path(toolchain.Ctr), in.Node.Path(toolchain.Crictl)},
		"opt/cni/bin":   {in.Node.Path(toolchain.CNIPtp), in.Node.Path(toolchain.CNIHostLocal), in.Node.Path(toolchain.CNIPortmap), in.Node.Path(toolchain.CNILoopback)},
	} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
		for _, from := range list {
			if err := copyProgram(from, filepath.Join(root, dir, filepath.Base(from))); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// edit changes a file, and fails if there is nothing to change.
func edit(path string, change func(string) (string, error)) error {
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	after, err := change(string(before))
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return os.WriteFile(path, []byte(after), 0o644)
}

// runtimeConfig is kind's configuration of containerd for an image without
// kindnet, on a machine that may lack CAP_SYS_RESOURCE.
func runtimeConfig(before string) (string, error) {
	after := before
	for _, change := range []struct{ old, new string }{
		// A score below one's own takes CAP_SYS_RESOURCE.
		{"restrict_oom_score_adj = false", "restrict_oom_score_adj = true"},
		{`sandbox_image = "registry.k8s.io/pause:3.10"`, fmt.Sprintf("sandbox_image = %q", images.PauseImage)},
	} {
		if strings.Count(after, change.old) != 1 {
			return "", fmt.Errorf("want %q once", change.old)
		}
		after = strings.Replace(after, change.old, change.new, 1)
	}
	return after + `
# The pods' network, from the node's range of addresses.
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/opt/cni/bin"
  conf_dir = "/etc/cni/net.d"
  conf_template = "/kind/cni.conflist.tmpl"
`, nil
}

// baseSpec is what every container of the node starts from: containerd's own
// idea of it, with kind's hook and without limits on processes and files.
func (in Inputs) baseSpec(ctx context.Context) (string, error) {
	out, err := command.Run(ctx, command.Command{Argv: []string{in.Node.Path(toolchain.Ctr), "oci", "spec"}})
	if err != nil {
		return "", err
	}
	return withHook(out)
}

func withHook(spec string) (string, error) {
	var s map[string]any
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return "", fmt.Errorf("ctr oci spec: %w", err)
	}
	process, is := s["process"].(map[string]any)
	if !is {
		return "", errors.New("ctr oci spec: no process")
	}
	delete(process, "rlimits")
	s["hooks"] = map[string]any{"createContainer": []any{map[string]any{"path": "/kind/bin/mount-product-files.sh"}}}
	b, err := json.MarshalIndent(s, "", "  ")
	return string(b), err
}

// enable is `systemctl enable` for units that multi-user.target wants.
func enable(root string, units ...string) error {
	wants := filepath.Join(root, "etc/systemd/system/multi-user.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		return err
	}
	for _, u := range units {
		if err := os.Symlink("/etc/systemd/system/"+u+".service", filepath.Join(wants, u+".service")); err != nil {
			return err
		}
	}
	return nil
}
