package exec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/meshfed/meshfed/engine"
)

// Protocol is the version of the contract. A program that reads another one
// must refuse the request.
const Protocol = "meshfed.engine/v1"

// Operation is what a program is asked to do.
type Operation string

// The operations; the set is closed.
const (
	// OpCapabilities asks what the program claims to be able to do.
	OpCapabilities Operation = "capabilities"
	// OpApply is engine.Engine's Apply.
	OpApply Operation = "apply"
	// OpCancel is engine.Engine's Cancel.
	OpCancel Operation = "cancel"
)

// Request is what a program reads.
type Request struct {
	Protocol  string    `json:"protocol"`
	Operation Operation `json:"operation"`
	// Cluster is the name of the cluster, also of the context in Kubeconfig. Empty
	// for capabilities, as the two below.
	Cluster string `json:"cluster,omitempty"`
	// Kubeconfig is the path of a file with one context, mode 0600.
	Kubeconfig string `json:"kubeconfig,omitempty"`
	// Spec holds the declarations as YAML documents.
	Spec string `json:"spec,omitempty"`
}

// Outcome is how an operation ended.
type Outcome string

// The outcomes; the set is closed. There is no zero value: silence is an error.
const (
	// Done: the operation was carried out.
	Done Outcome = "done"
	// Failed: it was not; Answer.Error says why.
	Failed Outcome = "failed"
)

// Answer is what a program writes.
type Answer struct {
	Result Outcome `json:"result"`
	// Error says what went wrong; only, and always, with Failed.
	Error string `json:"error,omitempty"`
	// Version of the program, for reports. Only for capabilities; may be empty.
	Version string `json:"version,omitempty"`
	// Capabilities it claims to have. Only, and always, for capabilities.
	Capabilities []engine.Capability `json:"capabilities,omitempty"`
}

// parseAnswer reads the answer to one operation. What it does not understand it
// refuses: a field of a later protocol could change what the others mean.
func parseAnswer(op Operation, raw []byte) (Answer, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return Answer{}, errors.New("the program wrote nothing to standard output; it must answer each request")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var a Answer
	if err := dec.Decode(&a); err != nil {
		return Answer{}, fmt.Errorf("the answer is no JSON object of %s: %w", Protocol, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Answer{}, errors.New("something follows the answer on standard output; write logs to standard error")
	}
	return a, a.check(op)
}

func (a Answer) check(op Operation) error {
	switch {
	case a.Result == Failed && a.Error == "":
		return errors.New(`the answer has result "failed" and no error; say what went wrong`)
	case a.Result == Failed:
		return errors.New(oneLine(a.Error))
	case a.Result != Done:
		return fmt.Errorf(`the answer has result %q; write "done" or "failed"`, a.Result)
	case a.Error != "":
		return fmt.Errorf(`the answer has result "done" and the error %q; it must be one or the other`, oneLine(a.Error))
	case op != OpCapabilities && (len(a.Capabilities) > 0 || a.Version != ""):
		return fmt.Errorf("the answer to %s has fields of the answer to capabilities", op)
	case op == OpCapabilities && len(a.Capabilities) == 0:
		return errors.New("the answer declares no capability; there would be nothing to test")
	}
	for i, c := range a.Capabilities {
		if !slices.Contains(engine.Capabilities(), c) {
			return fmt.Errorf("the answer declares capability %q; known are %s", c, strings.Join(engine.Words(engine.Capabilities()), " "))
		}
		if slices.Contains(a.Capabilities[:i], c) {
			return fmt.Errorf("the answer declares capability %q twice", c)
		}
	}
	return nil
}

// oneLine keeps a program's words from faking lines of a report.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " | ")
}
