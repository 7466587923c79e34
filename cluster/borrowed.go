package cluster

// Borrower is a Lab of clusters that were there before the harness and are
// somebody's: nothing is installed on them that was not asked for, and what the
// harness has put there is removed after the run. Delete takes away only what
// the provider itself made, which is nothing in the clusters.
type Borrower interface {
	Lab
	// Owner says in errors whose the clusters are ("existing clusters").
	Owner() string
	// Places name the clusters themselves, whatever they are called here and
	// whichever others are in the lab: labs that share one may not be used at
	// the same time. None is named twice.
	Places() []string
}

// Borrowed says whether the lab's clusters have to be left as they were found.
func Borrowed(l Lab) bool {
	_, is := l.(Borrower)
	return is
}
