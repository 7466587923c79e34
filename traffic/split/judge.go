package split

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"
)

// Verdict is what a count says about a share.
type Verdict struct {
	Count, Of int
	// Share is the intended one.
	Share float64
	// Low and High are the Clopper-Pearson interval of the true share.
	Low, High float64
	// Holds says whether the intended share lies in it.
	Holds bool
}

func (v Verdict) String() string {
	word := "holds"
	if !v.Holds {
		word = "does not hold"
	}
	return fmt.Sprintf("%d of %d are %.2f %%, the true share is between %.2f %% and %.2f %%: %.2f %% %s",
		v.Count, v.Of, 100*float64(v.Count)/float64(v.Of), 100*v.Low, 100*v.High, 100*v.Share, word)
}

// Judge says whether count of of requests fit the share, at level alpha: it
// calls a right share wrong no more often than that.
func Judge(count, of int, share, alpha float64) (Verdict, error) {
	if of <= 0 || count < 0 || count > of {
		return Verdict{}, fmt.Errorf("judge a split: %d of %d is not possible", count, of)
	}
	if share < 0 || share > 1 || !(alpha > 0 && alpha < 1) {
		return Verdict{}, fmt.Errorf("judge a split: share %v, alpha %v: want 0 to 1, and between 0 and 1", share, alpha)
	}
	low, high := Interval(count, of, alpha)
	return Verdict{Count: count, Of: of, Share: share, Low: low, High: high, Holds: low <= share && share <= high}, nil
}

// Interval is the Clopper-Pearson interval of a share of which count of of
// were seen: it misses the true share no more often than alpha.
func Interval(count, of int, alpha float64) (low, high float64) {
	k, n := float64(count), float64(of)
	high = 1
	if count > 0 {
		low = distuv.Beta{Alpha: k, Beta: n - k + 1}.Quantile(alpha / 2)
	}
	if count < of {
		high = distuv.Beta{Alpha: k + 1, Beta: n - k}.Quantile(1 - alpha/2)
	}
	return low, high
}
