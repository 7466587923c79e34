package crd

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/meshfed/meshfed/federator/api"
)

//go:embed definitions/*.yaml
var files embed.FS

// GroupVersion of the resources.
func GroupVersion() schema.GroupVersion {
	return schema.GroupVersion{Group: api.Group, Version: api.Version}
}

// Definitions are the four CustomResourceDefinitions, by name. The caller owns
// them.
func Definitions() ([]*apiextensions.CustomResourceDefinition, error) {
	names, err := fs.Glob(files, "definitions/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	out := make([]*apiextensions.CustomResourceDefinition, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("definitions: %w", err)
		}
		d := &apiextensions.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(text, d); err != nil {
			return nil, fmt.Errorf("definitions: %s: %w", name, err)
		}
		out = append(out, d)
	}
	return out, nil
}

// Manifest is the definitions as one YAML stream, fit for kubectl apply.
func Manifest() ([]byte, error) {
	names, err := fs.Glob(files, "definitions/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("definitions: %w", err)
	}
	var out bytes.Buffer
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("definitions: %w", err)
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// AddToScheme registers the resources with a client's scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(), &Mesh{}, &MeshList{}, &Peer{}, &PeerList{},
		&Exposure{}, &ExposureList{}, &Consumption{}, &ConsumptionList{})
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
