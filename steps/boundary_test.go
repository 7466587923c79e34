package steps

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/oracle"
	"github.com/meshfed/meshfed/steps/internal/pairing"
	"github.com/meshfed/meshfed/traffic"
)

// noLab has no clusters.
type noLab struct{ cluster.Lab }

func (noLab) Clusters() []cluster.Cluster { return nil }

const exposures = `---
kind: Exposure
metadata: {name: reviews-v2, namespace: bookinfo}
spec:
  service: {name: myreviews, port: 9080, subset: v2}
  path: /bookinfo/myreviews/v2/
  consumers: [{peer: c1, methods: [GET]}]
---
kind: Exposure
metadata: {name: ratings, namespace: bookinfo}
spec:
  service: {name: ratings, port: 9080, subset: v1}
  path: /bookinfo/ratings/v1/
  consumers: [{peer: c1, methods: [GET], paths: [ratings/]}, {peer: c3, methods: [GET, HEAD]}]
`

// obeyed are the cells of a boundary that does what the oracle says.
func obeyed(t *testing.T, exposures string) (*World, []cell) {
	t.Helper()
	w := NewWorld(Environment{Lab: noLab{}})
	wish, err := oracle.Parse(pairing.Declarations("c2", []pairing.Peer{{Name: "c1"}, {Name: "c3"}}) + exposures)
	require.NoError(t, err)
	cells := w.cells(wish)
	for i := range cells {
		cells[i].got = outcome(cells[i].Expectation)
	}
	return w, cells
}

// outcome is what an expectation looks like when it comes true.
func outcome(e oracle.Expectation) traffic.Outcome {
	switch e.Fate {
	case oracle.Granted:
		return traffic.Outcome{Kind: traffic.Allowed, Status: 200, Backend: traffic.Backend{Service: app(e.Service), Version: e.Version, Cluster: "c2"}}
	case oracle.NobodyListens:
		return traffic.Outcome{Kind: traffic.Unreachable}
	case oracle.NoHandshake:
		return traffic.Outcome{Kind: traffic.Reset}
	case oracle.CertificateRequired:
		return traffic.Outcome{Kind: traffic.HandshakeRefused, Alert: "certificate_required"}
	case oracle.UnknownAuthority:
		return traffic.Outcome{Kind: traffic.HandshakeRefused, Alert: "unknown_ca"}
	}
	return traffic.Outcome{Kind: traffic.DeniedByPolicy, Status: 403}
}

func TestABoundaryThatObeysTheOracleIsGreen(t *testing.T) {
	for name, text := range map[string]string{"two exposures": exposures, "nothing exposed": ""} {
		w, cells := obeyed(t, text)
		assert.NoError(t, w.judgeCells("c2", cells), name)
	}
}

// otherwise are the answers that an oracle could give in the place of one.
func otherwise(e oracle.Expectation) []oracle.Expectation {
	var others []oracle.Expectation
	for _, fate := range []oracle.Fate{
		oracle.Granted, oracle.NobodyListens, oracle.NoHandshake, oracle.CertificateRequired, oracle.UnknownAuthority, oracle.DeniedByPolicy,
	} {
		switch fate {
		case e.Fate:
		case oracle.Granted:
			others = append(others, oracle.Expectation{Fate: fate, Service: "myreviews", Version: "v2"})
		default:
			others = append(others, oracle.Expectation{Fate: fate})
		}
	}
	if e.Fate == oracle.Granted {
		others = append(others,
			oracle.Expectation{Fate: e.Fate, Service: "details", Version: e.Version},
			oracle.Expectation{Fate: e.Fate, Service: e.Service, Version: "v9"})
	}
	return others
}

// Whoever changes one answer of the oracle, in whatever cell and into whatever
// other answer, must turn the feature red: else that cell asserts nothing.
func TestEachOtherAnswerOfTheOracleTurnsTheBoundaryRed(t *testing.T) {
	for name, text := range map[string]string{"two exposures": exposures, "nothing exposed": ""} {
		w, cells := obeyed(t, text)
		answers := 0
		for i, c := range cells {
			for _, other := range otherwise(c.Expectation) {
				if c.Fate == oracle.NoHandshake && other.Fate == oracle.NobodyListens {
					// A connection that is cut is both. It is the listener's table or
					// nobody's as a whole, never that of one cell.
					continue
				}
				one := []cell{c}
				one[0].Expectation = other
				assert.Error(t, w.judgeCells("c2", one), "%s: cell %d, %s instead of %s: %s", name, i, other.Fate, c.Fate, c)
				answers++
			}
		}
		assert.Greater(t, answers, 4*len(cells)-1, "%s: all cells were changed", name)
	}
}

// Another mesh has services of the same names, and an answer to another request
// is none.
func TestWhatIsGrantedIsAnsweredByThatMeshAndToThatRequest(t *testing.T) {
	w, cells := obeyed(t, exposures)
	granted := slices.IndexFunc(cells, func(c cell) bool { return c.Fate == oracle.Granted })
	for name, change := range map[string]func(*traffic.Outcome){
		"another mesh":    func(o *traffic.Outcome) { o.Backend.Cluster = "c1" },
		"another request": func(o *traffic.Outcome) { o.Kind = traffic.WrongBackend },
	} {
		one := []cell{cells[granted]}
		require.NoError(t, w.judgeCells("c2", one), name)
		change(&one[0].got)
		assert.ErrorContains(t, w.judgeCells("c2", one), "not answered by", name)
	}
}

func TestASingleWrongAnswerAmongAllIsFound(t *testing.T) {
	w, cells := obeyed(t, exposures)
	cells[len(cells)/2].Expectation = otherwise(cells[len(cells)/2].Expectation)[0]
	assert.ErrorContains(t, w.judgeCells("c2", cells), "1 of ")
}
