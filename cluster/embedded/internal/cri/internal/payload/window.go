package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// window prints the terminal's size now and at the next change.
func window([]string) error {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGWINCH)
	for {
		size, err := unix.IoctlGetWinsize(1, unix.TIOCGWINSZ)
		if err != nil {
			return fmt.Errorf("not a terminal: %w", err)
		}
		fmt.Printf("%dx%d\n", size.Col, size.Row)
		if size.Col > 0 {
			return nil
		}
		<-c
	}
}
