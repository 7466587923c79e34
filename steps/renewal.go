package steps

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/cucumber/godog"
)

// Gateway is one of the two private gateways of a mesh.
type Gateway string

// The gateways, in the words of the features.
const (
	IngressGateway Gateway = "ingress"
	EgressGateway  Gateway = "egress"
)

// Serials are the serial numbers of the gateways' certificates.
type Serials map[Gateway]*big.Int

func (w *World) renewalSteps(sc *godog.ScenarioContext) {
	sc.When(`^the owner of (c\d) renews the certificates of both private gateways$`, w.renew)
	sc.Step(`^within (\d+m?s) the private (ingress|egress) gateway of (c\d) has the new certificate$`, w.renewed)
}

func (w *World) renew(ctx context.Context, mesh string) error {
	serials, err := w.Owners.Renew(ctx, mesh)
	if err != nil {
		return inconclusive(err)
	}
	w.serials[mesh] = serials
	return nil
}

// renewed polls, since Envoy tells nobody when it has loaded a certificate.
func (w *World) renewed(ctx context.Context, within, gateway, mesh string) error {
	patience, err := time.ParseDuration(within)
	if err != nil {
		return err
	}
	want := w.serials[mesh][Gateway(gateway)]
	if want == nil {
		return fmt.Errorf("the certificates of %s have not been renewed", mesh)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, patience, errLate)
	defer cancel()
	var held []*big.Int
	for bounded.Err() == nil {
		now, err := w.Meshes.Certificates(bounded, mesh, Gateway(gateway))
		if err != nil && bounded.Err() == nil {
			return inconclusive(err)
		}
		if held = now; slices.ContainsFunc(held, func(s *big.Int) bool { return s.Cmp(want) == 0 }) {
			return nil
		}
		restFor(bounded, renewalPause)
	}
	return fmt.Errorf("the private %s gateway of %s has the certificates %x, want %x: %w", gateway, mesh, held, want, context.Cause(bounded))
}

// renewalPause is between two looks into a gateway.
const renewalPause = 200 * time.Millisecond
