package cri

import (
	"sync"
	"time"

	"google.golang.org/grpc"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// eventBacklog is how many events a slow listener may be behind; it loses those
// beyond it, and kubelet lists everything once in a while anyway.
const eventBacklog = 256

// hub hands events to whoever listens.
type hub struct {
	mu        sync.Mutex
	listeners map[chan *runtimeapi.ContainerEventResponse]bool
	closed    bool
}

func newHub() *hub {
	return &hub{listeners: map[chan *runtimeapi.ContainerEventResponse]bool{}}
}

func (h *hub) listen() (events chan *runtimeapi.ContainerEventResponse, leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	events = make(chan *runtimeapi.ContainerEventResponse, eventBacklog)
	if h.closed {
		close(events)
		return events, func() {}
	}
	h.listeners[events] = true
	return events, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners, events)
	}
}

func (h *hub) send(e *runtimeapi.ContainerEventResponse) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		select {
		case l <- e:
		default:
		}
	}
}

func (h *hub) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners) == 0
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.listeners {
		close(l)
	}
	h.listeners = nil
}

// emit tells of a change in a pod; id is the container's or, as other runtimes
// do it, the pod's own.
func (s *Server) emit(p *sandbox, id string, kind runtimeapi.ContainerEventType) {
	if s.events.empty() {
		return
	}
	e := &runtimeapi.ContainerEventResponse{
		ContainerId: id, ContainerEventType: kind, CreatedAt: time.Now().UnixNano(), PodSandboxStatus: s.sandboxStatus(p),
	}
	for _, c := range s.containersOf(p) {
		e.ContainersStatuses = append(e.ContainersStatuses, c.status())
	}
	s.events.send(e)
}

// GetContainerEvents streams events until the client goes.
func (s *Server) GetContainerEvents(_ *runtimeapi.GetEventsRequest, stream grpc.ServerStreamingServer[runtimeapi.ContainerEventResponse]) error {
	events, leave := s.events.listen()
	defer leave()
	// Headers tell the client that it misses nothing from now on.
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case e, ok := <-events:
			if !ok {
				return nil
			}
			if err := stream.Send(e); err != nil {
				return err
			}
		}
	}
}
