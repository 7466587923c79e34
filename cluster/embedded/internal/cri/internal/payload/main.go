// Command payload is what the runtime's tests run in their containers: one
// static program with a word for each thing that a test wants to see from the
// inside. It must know nothing of the runtime.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("want a word"))
	}
	word, args := os.Args[1], append(os.Args[2:], "", "")
	action, ok := words()[word]
	if !ok {
		fail(fmt.Errorf("no such word: %q", word))
	}
	if err := action(args); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func words() map[string]func([]string) error {
	return map[string]func([]string) error{
		"exit":   exit,
		"echo":   func(a []string) error { fmt.Println(strings.Join(a[:len(a)-2], " ")); return nil },
		"both":   func([]string) error { fmt.Println("to stdout"); fmt.Fprintln(os.Stderr, "to stderr"); return nil },
		"printf": func(a []string) error { fmt.Print(a[0]); return nil },
		"long":   func(a []string) error { n, err := strconv.Atoi(a[0]); fmt.Println(strings.Repeat("x", n)); return err },
		"env":    func([]string) error { fmt.Println(strings.Join(os.Environ(), "\n")); return nil },
		"cat":    cat,
		"ls":     list,
		"write":  func(a []string) error { return os.WriteFile(a[0], []byte(a[1]), 0o644) },
		"reopen": reopen,
		"self":   describeSelf,
		"euid":   func([]string) error { fmt.Println("Effective uid:", os.Geteuid()); return nil },
		"wait":   func([]string) error { return waitFor(syscall.SIGTERM) },
		"await": func(a []string) error {
			n, err := strconv.Atoi(a[0])
			_ = waitFor(syscall.Signal(n))
			return err
		},
		"ignore": ignore,
		"spawn":  spawn,
		"serve":  serve,
		"dial":   dial,
		"window": window,
	}
}

func cat(a []string) error {
	in := io.Reader(os.Stdin)
	if a[0] != "" {
		f, err := os.Open(a[0])
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	_, err := io.Copy(os.Stdout, in)
	return err
}

func list(a []string) error {
	entries, err := os.ReadDir(a[0])
	for _, e := range entries {
		fmt.Println(e.Name())
	}
	return err
}

// reopen does what Envoy does with its access log.
func reopen([]string) error {
	f, err := os.OpenFile("/dev/stdout", os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, "by its own name")
	return err
}

func describeSelf([]string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	d := map[string]string{"Umask": ""}
	for _, line := range strings.Split(string(status), "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok {
			d[k] = strings.TrimSpace(v)
		}
	}
	d["cwd"], _ = os.Getwd()
	d["hostname"], _ = os.Hostname()
	d["fd0"], _ = os.Readlink("/proc/self/fd/0")
	return json.NewEncoder(os.Stdout).Encode(d)
}

// waitFor says that it waits when it does: a signal that comes before is not caught,
// and ends the program.
func waitFor(s syscall.Signal) error {
	c := make(chan os.Signal, 1)
	signal.Notify(c, s)
	fmt.Println("waiting")
	<-c
	fmt.Println("got", int(s))
	return nil
}

func ignore([]string) error {
	signal.Ignore(syscall.SIGTERM)
	fmt.Println("ignoring")
	time.Sleep(time.Hour)
	return nil
}

// spawn leaves a process behind.
func spawn([]string) error {
	cmd := exec.Command("/bin/payload", "ignore")
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Println("spawned")
	return waitFor(syscall.SIGTERM)
}

func exit(a []string) error {
	n, err := strconv.Atoi(a[0])
	if err != nil {
		return err
	}
	os.Exit(n)
	return nil
}

func serve(a []string) error {
	l, err := net.Listen("tcp", a[0])
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			line, _ := bufio.NewReader(c).ReadString('\n')
			fmt.Fprintf(c, "you are %s and said %s", c.RemoteAddr().(*net.TCPAddr).IP, line)
		}()
	}
}

func dial(a []string) error {
	c, err := net.DialTimeout("tcp", a[0], 3*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintln(c, a[1])
	_, err = io.Copy(os.Stdout, c)
	return err
}
