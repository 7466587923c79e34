package page

import (
	"math"

	"github.com/meshfed/meshfed/reports"
)

// topology is the picture of the meshes: on a circle, each linked to each.
type topology struct {
	Width, Height int
	Meshes        []mesh
	Links         []link
}

type mesh struct {
	Name string
	X, Y int
}

type link struct{ X1, Y1, X2, Y2 int }

// Sizes of the picture, in its own units.
const (
	topologyWidth, topologyHeight = 560, 220
	orbitX, orbitY                = 200, 70
)

func newTopology(t reports.Topology) topology {
	picture := topology{Width: topologyWidth, Height: topologyHeight}
	n := len(t.Clusters)
	for i, name := range t.Clusters {
		// From the left, so that two meshes stand side by side.
		angle := math.Pi + 2*math.Pi*float64(i)/float64(n)
		picture.Meshes = append(picture.Meshes, mesh{
			Name: name,
			X:    topologyWidth/2 + int(math.Round(orbitX*math.Cos(angle))),
			Y:    topologyHeight/2 + int(math.Round(orbitY*math.Sin(angle))),
		})
	}
	for i, a := range picture.Meshes {
		for _, b := range picture.Meshes[i+1:] {
			picture.Links = append(picture.Links, link{a.X, a.Y, b.X, b.Y})
		}
	}
	return picture
}
