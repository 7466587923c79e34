package cucumber

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	messages "github.com/cucumber/messages/go/v21"

	"github.com/meshfed/meshfed/reports"
)

// protocolVersion is that of the messages' schema, the library's own.
const protocolVersion = "21.0.1"

// WriteMessages writes the report as Cucumber Messages, newline-delimited
// JSON. Sources are not part of it: a report has the digest of the features.
func WriteMessages(w io.Writer, r reports.ConformanceReport) error {
	stream := &stream{encoder: json.NewEncoder(w), at: r.Started}
	stream.send(&messages.Envelope{Meta: meta(r)})
	stream.send(&messages.Envelope{TestRunStarted: &messages.TestRunStarted{Timestamp: stream.now()}})
	for _, s := range r.Scenarios {
		stream.scenario(s)
	}
	if !r.Finished.IsZero() {
		stream.at = r.Finished
	}
	stream.send(&messages.Envelope{TestRunFinished: &messages.TestRunFinished{
		Success: r.ExitCode() == reports.ExitGreen, Message: r.Line(), Timestamp: stream.now(),
	}})
	if stream.err != nil {
		return fmt.Errorf("write Cucumber Messages: %w", stream.err)
	}
	return nil
}

func meta(r reports.ConformanceReport) *messages.Meta {
	return &messages.Meta{
		ProtocolVersion: protocolVersion,
		Implementation:  &messages.Product{Name: "meshfed conformance", Version: r.SuiteVersion},
		Runtime:         &messages.Product{Name: "go", Version: r.Environment.Go},
		Os:              &messages.Product{Name: r.Environment.OS, Version: r.Environment.Kernel},
		Cpu:             &messages.Product{Name: r.Environment.Arch},
	}
}

// stream writes envelopes. Times add up from the start of the run by what the
// scenarios took, since the report has no others.
type stream struct {
	encoder *json.Encoder
	at      time.Time
	ids     int
	err     error
}

func (s *stream) send(e *messages.Envelope) {
	if s.err == nil {
		s.err = s.encoder.Encode(e)
	}
}

func (s *stream) id() string {
	s.ids++
	return strconv.Itoa(s.ids)
}

func (s *stream) now() *messages.Timestamp {
	return &messages.Timestamp{Seconds: s.at.Unix(), Nanos: int64(s.at.Nanosecond())}
}

func (s *stream) scenario(one reports.Scenario) {
	pickle := &messages.Pickle{Id: s.id(), Uri: one.File, Name: one.Name, Language: "en", AstNodeIds: []string{}}
	for _, tag := range one.Tags {
		pickle.Tags = append(pickle.Tags, &messages.PickleTag{Name: tag, AstNodeId: one.ID})
	}
	testCase := &messages.TestCase{Id: s.id(), PickleId: pickle.Id}
	all := steps(one)
	for _, step := range all {
		p := &messages.PickleStep{Id: s.id(), Text: step.Text, Type: stepType(step.Keyword), AstNodeIds: []string{}}
		pickle.Steps = append(pickle.Steps, p)
		testCase.TestSteps = append(testCase.TestSteps, &messages.TestStep{Id: s.id(), PickleStepId: p.Id})
	}
	s.send(&messages.Envelope{Pickle: pickle})
	s.send(&messages.Envelope{TestCase: testCase})
	started := &messages.TestCaseStarted{Id: s.id(), TestCaseId: testCase.Id, Timestamp: s.now()}
	s.send(&messages.Envelope{TestCaseStarted: started})
	for i, step := range all {
		s.step(started.Id, testCase.TestSteps[i].Id, step)
	}
	s.at = s.at.Add(one.Duration())
	s.send(&messages.Envelope{TestCaseFinished: &messages.TestCaseFinished{TestCaseStartedId: started.Id, Timestamp: s.now()}})
}

func (s *stream) step(started, id string, step reports.Step) {
	s.send(&messages.Envelope{TestStepStarted: &messages.TestStepStarted{TestCaseStartedId: started, TestStepId: id, Timestamp: s.now()}})
	took := nanoseconds(step.DurationSeconds)
	second := time.Second.Nanoseconds()
	s.send(&messages.Envelope{TestStepFinished: &messages.TestStepFinished{
		TestCaseStartedId: started, TestStepId: id, Timestamp: s.now(),
		TestStepResult: &messages.TestStepResult{
			Status: stepStatus(step.Status), Message: step.Error,
			Duration: &messages.Duration{Seconds: took / second, Nanos: took % second},
		},
	}})
}

func stepType(keyword string) messages.PickleStepType {
	switch keyword {
	case "Given":
		return messages.PickleStepType_CONTEXT
	case "When":
		return messages.PickleStepType_ACTION
	case "Then":
		return messages.PickleStepType_OUTCOME
	}
	return messages.PickleStepType_UNKNOWN
}

func stepStatus(s reports.StepStatus) messages.TestStepResultStatus {
	switch s {
	case reports.StepPassed:
		return messages.TestStepResultStatus_PASSED
	case reports.StepSkipped, reports.StepNotSupported, reports.StepNotRun:
		return messages.TestStepResultStatus_SKIPPED
	case reports.StepUndefined:
		return messages.TestStepResultStatus_UNDEFINED
	case reports.StepPending:
		return messages.TestStepResultStatus_PENDING
	case reports.StepInconclusive:
		return messages.TestStepResultStatus_UNKNOWN
	}
	return messages.TestStepResultStatus_FAILED
}
