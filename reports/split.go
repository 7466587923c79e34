package reports

import (
	"fmt"
	"slices"
	"strings"
)

// SplitFigure is how traffic was shared between backends, and what that says
// about the weights.
type SplitFigure struct {
	// What was split: "reviews of c1".
	What string `json:"what"`
	// N is how many requests were judged. The test is sequential: it ended when
	// so many were enough.
	N int `json:"n"`
	// Confidence of the intervals, all together and however often they were looked
	// at: 0.999 calls a right split wrong at most once in 1000 times.
	Confidence float64 `json:"confidence"`
	// DetectableShift is the smallest deviation of a share that the test finds
	// with the power that the scenario asked for; a split that is off by less may
	// pass.
	DetectableShift float64 `json:"detectableShift"`
	// Power is how often, at least, a split off by DetectableShift does not pass.
	Power  float64 `json:"power"`
	Shares []Share `json:"shares"`
}

// Share is one backend's part of a split.
type Share struct {
	// Backend as the features name it: "reviews v2 of c2".
	Backend string `json:"backend"`
	// Expected is the weight's share, from 0 to 1.
	Expected float64 `json:"expected"`
	Count    int     `json:"count"`
	// Low and High are the interval in which the true share lies.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Observed is the share that was seen.
func (s Share) Observed(n int) float64 { return float64(s.Count) / float64(n) }

func (f SplitFigure) lines() []string {
	var lines []string
	for _, s := range f.Shares {
		lines = append(lines, fmt.Sprintf("split of %s: %s got %d of %d (%.2f %%; %.2f %% to %.2f %% at %.5g %% confidence), wanted %.2f %%",
			f.What, s.Backend, s.Count, f.N, 100*s.Observed(f.N), 100*s.Low, 100*s.High, 100*f.Confidence, 100*s.Expected))
	}
	return lines
}

func (f SplitFigure) addTo(all *Figures) { all.Splits = append(all.Splits, f) }

func (f SplitFigure) validate() error {
	total := 0
	for _, s := range f.Shares {
		total += s.Count
		if s.Count < 0 || s.Expected < 0 || s.Expected > 1 || s.Low > s.High {
			return fmt.Errorf("split of %s: share of %s: %d, expected %v, interval %v to %v is not possible",
				f.What, s.Backend, s.Count, s.Expected, s.Low, s.High)
		}
		if observed := s.Observed(f.N); observed < s.Low || observed > s.High {
			return fmt.Errorf("split of %s: %s: the observed share %v lies outside its own interval %v to %v",
				f.What, s.Backend, observed, s.Low, s.High)
		}
	}
	if f.N <= 0 || total != f.N || !(f.Confidence > 0 && f.Confidence < 1) {
		return fmt.Errorf("split of %s: the shares' counts add up to %d of %d, at confidence %v", f.What, total, f.N, f.Confidence)
	}
	return nil
}

// Holds says whether every expected share lies in the interval of the true one.
func (f SplitFigure) Holds() error {
	var off []string
	for _, s := range f.Shares {
		if s.Expected < s.Low || s.Expected > s.High {
			off = append(off, fmt.Sprintf("%s got %d of %d, so between %.2f %% and %.2f %%, want %.2f %%",
				s.Backend, s.Count, f.N, 100*s.Low, 100*s.High, 100*s.Expected))
		}
	}
	if len(off) == 0 {
		return nil
	}
	slices.Sort(off)
	return fmt.Errorf("split of %s: %s", f.What, strings.Join(off, "; "))
}
