// Package inventory remembers what the engine made in a cluster and for which
// wish, in one ConfigMap beside the private gateways.
//
// It is written before the first object (the intent) and again after the last
// one. A crash between any two writes therefore leaves no orphan: everything
// that may exist is listed, and what is listed is either finished or removed by
// the next run. It holds no secret.
//
// It is compressed JSON, so that five thousand exposures fit into the one
// mebibyte that a ConfigMap may hold; to read it:
//
//	kubectl get configmap federator-inventory -n NAMESPACE -o jsonpath='{.binaryData.inventory\.json\.gz}' | base64 -d | gunzip
//
// The text that earlier versions wrote is understood. What would not fit is
// refused before it is begun, with room for the withdrawal of all of it.
package inventory
