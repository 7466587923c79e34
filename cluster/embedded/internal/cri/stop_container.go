package cri

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// StopContainer asks the container to end, and kills it when the grace period
// (req.Timeout, in seconds) is over. It is idempotent.
func (s *Server) StopContainer(ctx context.Context, req *runtimeapi.StopContainerRequest) (*runtimeapi.StopContainerResponse, error) {
	c, err := s.container(req.GetContainerId())
	if status.Code(err) == codes.NotFound {
		return &runtimeapi.StopContainerResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := c.stop(ctx, time.Duration(req.GetTimeout())*time.Second); err != nil {
		return nil, err
	}
	return &runtimeapi.StopContainerResponse{}, nil
}

func (c *ctr) stop(ctx context.Context, grace time.Duration) error {
	proc := c.process()
	if proc == nil {
		return nil
	}
	if grace > 0 {
		if err := proc.Signal(c.stopSignal()); err != nil {
			return fmt.Errorf("stop container %s: %w", c.id, err)
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-c.exited:
			return nil
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("stop container %s: it has its signal and still runs: %w", c.id, ctx.Err())
		}
	}
	c.kill()
	return nil
}

// stopSignal is the pod's choice, else the image's, else SIGTERM. A signal that
// nobody knows is SIGTERM, too: a container must be stoppable.
func (c *ctr) stopSignal() syscall.Signal {
	if s := c.config.GetStopSignal(); s != runtimeapi.Signal_SIGNAL_RUNTIME_DEFAULT {
		if n, ok := parseSignal(strings.TrimPrefix(s.String(), "SIGNAL_")); ok {
			return n
		}
	}
	if n, ok := parseSignal(c.image.StopSignal); ok {
		return n
	}
	return syscall.SIGTERM
}

// The real-time signals' numbers that programs may use, as libc gives them.
const (
	sigRTMin = 34
	sigRTMax = 64
)

// parseSignal reads names with or without SIG, numbers, and the spellings of CRI
// for real-time signals ("SIGRTMINPLUS3").
func parseSignal(name string) (syscall.Signal, bool) {
	if n, err := strconv.Atoi(name); err == nil {
		return syscall.Signal(n), n > 0 && n <= sigRTMax
	}
	short := strings.TrimPrefix(strings.ToUpper(name), "SIG")
	switch short {
	case "":
		return 0, false
	case "CLD":
		short = "CHLD"
	case "IOT":
		short = "ABRT"
	case "POLL":
		short = "IO"
	}
	if n := unix.SignalNum("SIG" + short); n != 0 {
		return n, true
	}
	return parseRealTime(strings.NewReplacer("PLUS", "+", "MINUS", "-").Replace(short))
}

func parseRealTime(name string) (syscall.Signal, bool) {
	base, rest := sigRTMin, ""
	switch {
	case strings.HasPrefix(name, "RTMIN"):
		rest = strings.TrimPrefix(name, "RTMIN")
	case strings.HasPrefix(name, "RTMAX"):
		base, rest = sigRTMax, strings.TrimPrefix(name, "RTMAX")
	default:
		return 0, false
	}
	offset := 0
	if rest != "" {
		var err error
		if offset, err = strconv.Atoi(rest); err != nil {
			return 0, false
		}
	}
	n := base + offset
	return syscall.Signal(n), n >= sigRTMin && n <= sigRTMax
}

// RemoveContainer forgets the container and its files, killing it if it runs.
func (s *Server) RemoveContainer(_ context.Context, req *runtimeapi.RemoveContainerRequest) (*runtimeapi.RemoveContainerResponse, error) {
	c, err := s.container(req.GetContainerId())
	if status.Code(err) == codes.NotFound {
		return &runtimeapi.RemoveContainerResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.removeContainer(c); err != nil {
		return nil, err
	}
	return &runtimeapi.RemoveContainerResponse{}, nil
}

func (s *Server) removeContainer(c *ctr) error {
	c.start.Lock()
	defer c.start.Unlock()
	c.kill()
	// A start that was waiting must not find a container to start.
	c.settle(func(f *fate) { f.state = runtimeapi.ContainerState_CONTAINER_EXITED })
	s.mu.Lock()
	delete(s.containers, c.id)
	s.mu.Unlock()
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("remove container %s: %w", c.id, err)
	}
	s.emit(c.pod, c.id, runtimeapi.ContainerEventType_CONTAINER_DELETED_EVENT)
	return nil
}
