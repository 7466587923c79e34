// Package page reads Bookinfo's product page as a person would: whose reviews
// are on it, and with which stars.
package page

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Stars is the closed set of what reviews can look like.
type Stars string

// The looks of the versions of reviews.
const (
	Without Stars = "without"
	Black   Stars = "black"
	Red     Stars = "red"
	// Broken: the reviews are there, and in place of stars is an error.
	Broken Stars = "broken"
)

// Page is what is on a product page.
type Page struct {
	// Available says whether there are reviews at all. If it is false, the
	// page says that they cannot be had, and the other fields are empty.
	Available bool
	Stars     Stars
	// Cluster and Pod say who served the reviews.
	Cluster, Pod string
}

var (
	served = regexp.MustCompile(`Reviews served by:</dt><dd><u>([^<]*)</u>(?: on cluster <u>([^<]*)</u>)?`)
	colors = regexp.MustCompile(`<font color="(\w+)">`)
)

// Read reads the HTML of a product page.
func Read(html string) (Page, error) {
	if strings.Contains(html, "Error fetching product reviews!") {
		return Page{}, nil
	}
	who := served.FindStringSubmatch(html)
	if who == nil {
		return Page{}, errors.New("no product page: it does not say who served the reviews")
	}
	p := Page{Available: true, Pod: who[1], Cluster: who[2], Stars: Without}
	if strings.Contains(html, "Ratings service is currently unavailable") {
		p.Stars = Broken
		return p, nil
	}
	if color := colors.FindStringSubmatch(html); color != nil {
		if p.Stars = Stars(color[1]); p.Stars != Black && p.Stars != Red {
			return Page{}, fmt.Errorf("stars of a colour that no version of reviews has: %q", color[1])
		}
	}
	return p, nil
}

// String says in words what the page shows.
func (p Page) String() string {
	switch {
	case !p.Available:
		return "that reviews are unavailable"
	case p.Stars == Without:
		return "reviews without stars from " + p.Cluster
	case p.Stars == Broken:
		return "reviews with an error for stars from " + p.Cluster
	}
	return "reviews with " + string(p.Stars) + " stars from " + p.Cluster
}
