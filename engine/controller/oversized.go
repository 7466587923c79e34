package controller

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/client-go/discovery"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/federator/api"
)

// maxRequest is the longest body that an API server reads, in bytes.
const maxRequest = 3 << 20

// oversized are the documents that are longer than any resource can be.
func oversized(declarations string) []string {
	if len(declarations) <= maxRequest {
		return nil
	}
	var all []string
	for document := range strings.SplitSeq(declarations, "\n---\n") {
		if len(document) > maxRequest {
			all = append(all, document)
		}
	}
	return all
}

// kindLine is where a document says what it is.
var kindLine = regexp.MustCompile(`(?m)^kind: (\w+)$`)

// kindHead is how much of a document is searched for it, in bytes.
const kindHead = 4 << 10

// submit sends documents to the API server as they are. Reading a hundred
// megabytes of YAML here first would show how patient the harness is, and nothing
// of the engine.
func submit(ctx context.Context, c cluster.Cluster, documents []string) error {
	config, err := cluster.RESTConfig(c)
	if err != nil {
		return err
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	for _, document := range documents {
		kind := kindLine.FindStringSubmatch(document[:min(len(document), kindHead)])
		if kind == nil {
			return errors.New("declarations: a document without a kind")
		}
		path := "/apis/" + api.APIVersion + "/namespaces/default/"
		if kind[1] == string(api.KindPeer) || kind[1] == string(api.KindMesh) {
			path = "/apis/" + api.APIVersion + "/"
		}
		err := client.RESTClient().Post().AbsPath(path+plural(api.Kind(kind[1]))).
			SetHeader("Content-Type", "application/yaml").Body([]byte(document)).Do(ctx).Error()
		if err != nil {
			return fmt.Errorf("a %s of %d bytes: %w", kind[1], len(document), err)
		}
	}
	return nil
}
