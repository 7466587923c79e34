package inventory

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshfed/meshfed/federator/api"
	"github.com/meshfed/meshfed/federator/internal/kube"
)

// The ConfigMap's only key, in its binary data; and the one in its data under
// which earlier versions wrote the same JSON as text.
const (
	field        = "inventory.json.gz"
	earlierField = "inventory.json"
)

// room is what the API server lets a ConfigMap hold, in bytes.
const room = 1 << 20

// uidRoom is what is reserved, in bytes, for each object whose UID is not known yet.
// It is more than enough: a UID is 36 characters and two quotes, and compression
// leaves about half.
const uidRoom = 40

// TooLongError says that an inventory takes more room than a ConfigMap has.
// Nothing was written.
type TooLongError struct {
	Object kube.Ref
	// Size it would have, in bytes.
	Size int
	// Refusal is the API server's, which may draw the line earlier; nil when it was
	// not asked.
	Refusal error
}

// Error is one line.
func (e *TooLongError) Error() string {
	text := fmt.Sprintf("%s has no room for all that is declared: it would take %d bytes of %d; declare less or shorter, withdrawals are carried out all the same", e.Object, e.Size, room)
	if e.Refusal != nil {
		text += " (" + e.Refusal.Error() + ")"
	}
	return text
}

// Unwrap gives the API server's refusal.
func (e *TooLongError) Unwrap() error { return e.Refusal }

// Room gives a *TooLongError for an intent that must not be begun although it may fit
// as it stands. There must also be room for the UIDs of its objects, and for a later
// withdrawal, whose intent holds the wish before and the wish after at once.
func (inv Inventory) Room(namespace string) error {
	missing := 0
	for _, i := range inv.Items {
		if i.UID == "" {
			missing += uidRoom
		}
	}
	for _, w := range []*api.Spec{inv.Applied, inv.Intended} {
		if w == nil {
			continue
		}
		twice := inv
		twice.Applied, twice.Intended = w, w
		raw, err := twice.encode()
		if err != nil {
			return err
		}
		if size := len(raw) + missing; size > room {
			return fmt.Errorf("write inventory: %w", &TooLongError{Object: ref(namespace), Size: size})
		}
	}
	return nil
}

// encode is compressed JSON: the names in it repeat.
func (inv Inventory) encode() ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if err := json.NewEncoder(zip).Encode(inv); err != nil {
		return nil, fmt.Errorf("encode inventory: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, fmt.Errorf("encode inventory: %w", err)
	}
	return out.Bytes(), nil
}

// content is the JSON in a ConfigMap of either form. It is read to the end, so
// that what was cut short is noticed.
func content(o *unstructured.Unstructured) ([]byte, error) {
	text, is, err := unstructured.NestedString(o.Object, "binaryData", field)
	if err != nil {
		return nil, err
	}
	if !is {
		text, _, err = unstructured.NestedString(o.Object, "data", earlierField)
		return []byte(text), err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zip)
}
