package container

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// defaultPath is used when neither image nor pod sets PATH, as other runtimes do.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// umask of a container's first process, as other runtimes set it.
const umask = 0o022

// become turns the calling thread into the container's command. It returns only
// when it fails.
func become(p Process, up *uplink) error {
	user, home, err := p.User.resolve("/etc/passwd", "/etc/group")
	if err != nil {
		return err
	}
	up.send(Report{Event: EventUser, User: user})
	if err := connectStdio(p, user, up); err != nil {
		return err
	}
	// As root: a user may be put into a directory that it could not reach.
	if err := os.Chdir(orRoot(p.WorkingDir)); err != nil {
		return fmt.Errorf("working directory: %w", err)
	}
	if err := dropTo(user, p); err != nil {
		return err
	}
	unix.Umask(umask)
	env := withDefaults(p.Env, home, p.Terminal)
	path, err := lookPath(p.Args[0], env)
	if err != nil {
		return err
	}
	up.send(Report{Event: EventExec})
	err = syscall.Exec(path, p.Args, env)
	return fmt.Errorf("exec %s: %w", path, err)
}

func orRoot(dir string) string {
	if dir == "" {
		return "/"
	}
	return dir
}

// connectStdio gives the process files of its own world: a standard input that
// is the container's /dev/null, and output pipes that its user owns, because
// opening /dev/stdout again (Envoy's access log does) checks the pipe's owner.
func connectStdio(p Process, user User, up *uplink) error {
	if p.Terminal {
		return openConsole(user, up)
	}
	if !p.Stdin {
		null, err := unix.Open("/dev/null", unix.O_RDONLY, 0)
		if err != nil {
			return fmt.Errorf("open /dev/null for standard input: %w", err)
		}
		if err := moveTo(null, 0); err != nil {
			return err
		}
	}
	for fd := range 3 {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			return fmt.Errorf("examine file descriptor %d: %w", fd, err)
		}
		if st.Mode&unix.S_IFMT != unix.S_IFIFO {
			continue
		}
		if err := unix.Fchown(fd, user.UID, user.GID); err != nil {
			return fmt.Errorf("give file descriptor %d to user %d: %w", fd, user.UID, err)
		}
	}
	return nil
}

func moveTo(from, to int) error {
	if from == to {
		return nil
	}
	if err := unix.Dup3(from, to, 0); err != nil {
		return fmt.Errorf("connect file descriptor %d: %w", to, err)
	}
	return unix.Close(from)
}

// openConsole makes a terminal in the container's own /dev/pts, so that its name
// means something there, and makes it the controlling one of the session.
func openConsole(user User, up *uplink) error {
	master, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open terminal: %w", err)
	}
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return fmt.Errorf("unlock terminal: %w", err)
	}
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return fmt.Errorf("number of the terminal: %w", err)
	}
	name := fmt.Sprintf("/dev/pts/%d", n)
	slave, err := unix.Open(name, unix.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open terminal: %w", err)
	}
	if err := unix.Fchown(slave, user.UID, -1); err != nil {
		return fmt.Errorf("give terminal %s to user %d: %w", name, user.UID, err)
	}
	if err := unix.IoctlSetInt(slave, unix.TIOCSCTTY, 0); err != nil {
		return fmt.Errorf("control terminal %s: %w", name, err)
	}
	up.send(Report{Event: EventConsole}, master)
	for fd := range 3 {
		if err := unix.Dup3(slave, fd, 0); err != nil {
			return fmt.Errorf("connect terminal %s: %w", name, err)
		}
	}
	return errors.Join(unix.Close(slave), unix.Close(master))
}

func withDefaults(env []string, home string, terminal bool) []string {
	defaults := []string{defaultPath, "HOME=" + home}
	if terminal {
		defaults = append(defaults, "TERM=xterm")
	}
	for _, d := range defaults {
		name, _, _ := strings.Cut(d, "=")
		if _, ok := lookEnv(env, name); !ok {
			env = append(env, d)
		}
	}
	return env
}

func lookEnv(env []string, name string) (string, bool) {
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value, true
		}
	}
	return "", false
}
