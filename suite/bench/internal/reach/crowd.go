package reach

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/meshfed/meshfed/steps"
	"github.com/meshfed/meshfed/traffic"
)

// joinLimit is how long one of many connections may take to be made. Nothing is
// judged by it: a crowd that is not there decides nothing.
const joinLimit = 10 * time.Second

// Gather implements steps.Meshes.
func (r *Reach) Gather(ctx context.Context, mesh string, as steps.Caller, n int, habit traffic.Habit) (steps.Crowd, error) {
	edge, err := r.edge(ctx, mesh, as)
	if err != nil {
		return nil, err
	}
	edge.Timeout = joinLimit
	crowd, err := edge.Gather(ctx, n, habit)
	if err != nil {
		return nil, err
	}
	return crowd, nil
}

// Memory implements steps.Meshes: it asks the gateway's Envoy what its
// allocator has given out.
func (r *Reach) Memory(ctx context.Context, mesh string, of steps.Gateway) (int64, error) {
	answer, err := r.admin(ctx, mesh, of, "memory")
	if err != nil {
		return 0, err
	}
	var memory struct {
		Allocated string `json:"allocated"`
	}
	if err := json.Unmarshal(answer, &memory); err != nil {
		return 0, fmt.Errorf("memory of the %s gateway of %s: %w", of, mesh, err)
	}
	bytes, err := strconv.ParseInt(memory.Allocated, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("memory of the %s gateway of %s: %w", of, mesh, err)
	}
	return bytes, nil
}
