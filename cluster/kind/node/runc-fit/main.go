// Command runc-fit is runc for a host whose root lacks some capabilities, as in
// many virtual machines and CI containers: a privileged container asks for all
// of them, and runc fails on the first that it may not give. It takes the
// missing ones out of what is asked, and becomes runc.
//
// It grants nothing and knows nothing of what the containers are for.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "runc-fit:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	have, err := bounding(string(status))
	if err != nil {
		return err
	}
	if file := asked(args[1:]); file != "" {
		if err := fitFile(file, have); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	return syscall.Exec(runc, append([]string{"runc"}, args[1:]...), os.Environ())
}

// asked is the file that says what the container, or the process that joins
// it, is to have; empty for the commands that start nothing.
func asked(args []string) string {
	command, file := "", ""
	for i, a := range args {
		switch a {
		case "create", "run", "exec", "restore":
			if command == "" {
				command = a
			}
		}
		if i+1 >= len(args) || command == "" {
			continue
		}
		switch {
		case (a == "--bundle" || a == "-b") && command != "exec":
			file = filepath.Join(args[i+1], "config.json")
		case (a == "--process" || a == "-p") && command == "exec":
			file = args[i+1]
		}
	}
	return file
}

// fitFile writes the file anew beside itself, so that runc never sees half.
func fitFile(file string, have uint64) error {
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after, err := fit(before, have)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".fit", after, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(file+".fit", file)
}
