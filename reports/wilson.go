package reports

import "math"

// wilsonZ is the 97.5 % quantile of the normal distribution.
const wilsonZ = 1.959963984540054

// Wilson is the 95 % interval of a rate of which count of n were seen, after
// E. B. Wilson (1927): it does not collapse at none and at all. Of n = 0 it is
// everything from 0 to 1.
func Wilson(count, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	total, rate := float64(n), float64(count)/float64(n)
	spread := wilsonZ * math.Sqrt(rate*(1-rate)/total+wilsonZ*wilsonZ/(4*total*total))
	centre, scale := rate+wilsonZ*wilsonZ/(2*total), 1+wilsonZ*wilsonZ/total
	return max(0, (centre-spread)/scale), min(1, (centre+spread)/scale)
}
