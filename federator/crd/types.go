package crd

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshfed/meshfed/federator/api"
)

// Mesh states the facts of this side's own boundary. A cluster has one: of
// several, the first one made counts, and the others say so in their status.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=meshes,categories=federation
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Host",type=string,JSONPath=`.spec.host`
// +kubebuilder:printcolumn:name="Exposures",type=integer,JSONPath=`.status.exposures`
// +kubebuilder:printcolumn:name="Consumptions",type=integer,JSONPath=`.status.consumptions`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label"
type Mesh struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              api.MeshSpec `json:"spec"`
	// Status is the controller's.
	Status MeshStatus `json:"status,omitempty"`
}

// MeshStatus says what of all declarations is in force in this cluster.
type MeshStatus struct {
	Status `json:",inline"`
	// Exposures counts those in force. One that was deleted counts until nothing
	// of it is left, so zero means that no peer can call. Absent: not known yet.
	Exposures *int32 `json:"exposures,omitempty"`
	// Consumptions counts those in force, likewise.
	Consumptions *int32 `json:"consumptions,omitempty"`
}

// Peer is another mesh: who calls us, and whom we call.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,path=peers,categories=federation
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="SNI",type=string,JSONPath=`.spec.sni`
// +kubebuilder:printcolumn:name="Address",type=string,JSONPath=`.spec.address.host`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label"
type Peer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              api.PeerSpec `json:"spec"`
	// Status is the controller's.
	Status Status `json:"status,omitempty"`
}

// Exposure puts one local service under a public path, for named peers only.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=exposures,categories=federation
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Peers",type=string,JSONPath=`.status.peers`
// +kubebuilder:printcolumn:name="Path",type=string,JSONPath=`.spec.path`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.service.name`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label"
type Exposure struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              api.ExposureSpec `json:"spec"`
	// Status is the controller's.
	Status ExposureStatus `json:"status,omitempty"`
}

// ExposureStatus says who can call.
type ExposureStatus struct {
	Status `json:",inline"`
	// Peers that are admitted at the moment, joined by commas for kubectl's column
	// (which shows only one entry of a list). Empty: none.
	Peers string `json:"peers,omitempty"`
}

// Consumption serves a local name from a peer, by ordered routes.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=consumptions,categories=federation
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.service.name`
// +kubebuilder:printcolumn:name="Peer",type=string,JSONPath=`.spec.from.peer`
// +kubebuilder:printcolumn:name="Path",type=string,JSONPath=`.spec.from.path`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label"
type Consumption struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              api.ConsumptionSpec `json:"spec"`
	// Status is the controller's.
	Status Status `json:"status,omitempty"`
}

// Status is what every declaration has in common.
type Status struct {
	// Conditions are Accepted, Programmed and Ready.
	//
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// MeshList is a list of Meshes.
//
// +kubebuilder:object:root=true
type MeshList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Mesh `json:"items"`
}

// PeerList is a list of Peers.
//
// +kubebuilder:object:root=true
type PeerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Peer `json:"items"`
}

// ExposureList is a list of Exposures.
//
// +kubebuilder:object:root=true
type ExposureList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Exposure `json:"items"`
}

// ConsumptionList is a list of Consumptions.
//
// +kubebuilder:object:root=true
type ConsumptionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Consumption `json:"items"`
}
