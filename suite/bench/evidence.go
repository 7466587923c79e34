package bench

import (
	"context"
	"time"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/suite/bench/internal/evidence"
)

// Evidence writes below dir what explains the present state of a lab: objects,
// what the gateways were told and have logged since, istiod's view, the pods'
// logs; and returns the names of the files. No Secret is read. What cannot be
// had is in the error, and does not stop the rest.
func Evidence(ctx context.Context, lab cluster.Lab, since time.Time, dir string) ([]string, error) {
	return collector(lab, since).Collect(ctx, dir)
}

func collector(lab cluster.Lab, since time.Time) evidence.Collector {
	return evidence.Collector{Clusters: lab.Clusters(), Since: since, Namespaces: concerned(lab)}
}

// WriteEvidence writes one file of evidence, tokens blotted out; it refuses
// what holds a private key.
func WriteEvidence(path string, content []byte) error { return evidence.Write(path, content) }
