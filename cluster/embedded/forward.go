package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/meshfed/meshfed/cluster/internal/control"
)

// forward is a port of the host's loopback that leads to target on the lab's
// WAN for as long as the lab is up. One that was opened before, by whichever
// process, is used again: a lab that serves many runs must not collect ports.
func (l *Lab) forward(ctx context.Context, target string) (address string, err error) {
	f, err := os.OpenFile(l.path("forwards.json"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("forward to %s: %w", target, err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("forward to %s: %w", target, err)
	}
	known, err := l.readForwards()
	if err != nil {
		return "", fmt.Errorf("forward to %s: %w", target, err)
	}
	if address, ok := known[target]; ok {
		return address, nil
	}
	if address, err = l.openForward(ctx, target); err != nil {
		return "", fmt.Errorf("forward to %s: %w", target, err)
	}
	known[target] = address
	b, err := json.Marshal(known)
	if err != nil {
		return "", fmt.Errorf("forward to %s: %w", target, err)
	}
	if err := os.WriteFile(l.path("forwards.json"), b, 0o600); err != nil {
		return "", fmt.Errorf("forward to %s: %w", target, err)
	}
	return address, nil
}

func (l *Lab) readForwards() (map[string]string, error) {
	known := map[string]string{}
	b, err := os.ReadFile(l.path("forwards.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if len(b) == 0 {
		return known, nil
	}
	return known, json.Unmarshal(b, &known)
}

func (l *Lab) openForward(ctx context.Context, target string) (string, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", err
	}
	defer listener.Close()
	f, err := listener.File()
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := control.Call(ctx, l.socket(), control.Request{Op: control.Forward, Target: target}, f); err != nil {
		return "", err
	}
	return listener.Addr().String(), nil
}
