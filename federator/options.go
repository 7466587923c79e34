package federator

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/inventory"
	"github.com/meshfed/meshfed/federator/internal/preflight"
)

// Option configures an Engine.
type Option interface{ applyEngine(*engineOptions) error }

type engineOptions struct {
	preflight preflight.Options
	transform func([]*unstructured.Unstructured) []*unstructured.Unstructured
}

type engineOption func(*engineOptions) error

func (f engineOption) applyEngine(o *engineOptions) error { return f(o) }

// WithTransform changes the rendered objects just before they are compared and
// applied. It exists for conformance tests that must break the engine on
// purpose (drop the AuthorizationPolicy, widen a prefix, skip the SAN check) and
// prove that the suite notices; production code has no use for it. The function
// may modify, drop, add or reorder the objects it is given; it owns them.
func WithTransform(f func([]*unstructured.Unstructured) []*unstructured.Unstructured) Option {
	return engineOption(func(o *engineOptions) error { o.transform = f; return nil })
}

// WithoutSecrets leaves the gateways' credentials unread, for an engine that has
// no right to read Secrets. What is wrong with them then shows at the gateway
// alone, which stays shut.
func WithoutSecrets() Option {
	return engineOption(func(o *engineOptions) error { o.preflight.SecretsUnread = true; return nil })
}

// ConvergeOption configures one Converge.
type ConvergeOption interface{ applyConverge(*convergeOptions) }

type convergeOptions struct{ reach Reach }

// Reach says what keeps its caller from working on a Mesh: rights that it does not
// have, say. Without problems, nothing does. It is a ConvergeOption itself.
type Reach func(api.Mesh) []Problem

func (r Reach) applyConverge(o *convergeOptions) { o.reach = r }

// ApplyOption configures one Apply or Cancel.
type ApplyOption interface{ applyApply(*applyOptions) }

type applyOptions struct {
	dryRun DryRun
	keeper inventory.Keeper
	// controllerGone: whatever the inventory says of one.
	controllerGone bool
}

// keptBy says on whose behalf a write is made.
type keptBy inventory.Keeper

func (k keptBy) applyApply(o *applyOptions) { o.keeper = inventory.Keeper(k) }

// ControllerGone lets a Cancel withdraw what a controller has made and can no longer
// withdraw itself. One that is alive puts back what is still declared at its next
// look. It is an ApplyOption, and an Apply takes no notice of it.
type ControllerGone bool

func (g ControllerGone) applyApply(o *applyOptions) { o.controllerGone = bool(g) }

// DryRun is how much of an Apply is only pretended. It is an ApplyOption itself.
type DryRun string

// The kinds of dry run; the zero value is DryRunNone.
const (
	// DryRunNone writes.
	DryRunNone DryRun = "none"
	// DryRunClient reads the cluster and predicts the outcome here: it needs no
	// right to write.
	DryRunClient DryRun = "client"
	// DryRunServer asks the API server to go through every write, admission
	// webhooks included, without keeping it.
	DryRunServer DryRun = "server"
)

func (d DryRun) applyApply(o *applyOptions) { o.dryRun = d }
