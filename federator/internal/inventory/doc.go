// Package inventory remembers what the engine made in a cluster and for which
// wish, in one ConfigMap beside the private gateways.
//
// It is written before the first object (the intent) and again after the last
// one. A crash between any two writes therefore leaves no orphan: everything
// that may exist is listed, and what is listed is either finished or removed by
// the next run. It holds no secret.
package inventory
