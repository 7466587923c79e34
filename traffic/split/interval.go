package split

import "gonum.org/v1/gonum/stat/distuv"

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
