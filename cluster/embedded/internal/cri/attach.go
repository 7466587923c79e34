package cri

import (
	"context"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// running is the container's output, if it runs.
func (c *ctr) running() (*output, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fate.state != runtimeapi.ContainerState_CONTAINER_RUNNING {
		return nil, status.Errorf(codes.FailedPrecondition, "container %s is not running", c.id)
	}
	return c.out, nil
}

// attachStream connects a client to the container's own process until that ends
// or the client goes. What was written before is in the log only.
func (s *Server) attachStream(ctx context.Context, id string, std stdio) error {
	c, err := s.container(id)
	if err != nil {
		return err
	}
	out, err := c.running()
	if err != nil {
		return err
	}
	defer out.attach(newAttachment(std.out, std.err))()
	if out.console != nil {
		go resizeConsole(ctx, out.console, std.resize)
	}
	if w := out.input(); w != nil && std.in != nil {
		go func() {
			_, _ = io.Copy(w, std.in)
			if c.config.GetStdinOnce() && out.stdin != nil {
				_ = out.stdin.Close()
			}
		}()
	}
	select {
	case <-c.exited:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
