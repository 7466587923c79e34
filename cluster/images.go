package cluster

// LocalImages begins the names of images that no registry has: a provider puts
// them where pods find them (Cluster.LoadImage), or has them under another name.
const LocalImages = "meshfed.local/"

// Namer is a Cluster that pulls images from a registry of its owner's, where
// they have names of their own.
type Namer interface {
	Cluster
	// ImageName is what a pod there is to call the image: its own name if the
	// owner has given none.
	ImageName(image string) string
}

// ImageIn is what a pod of the cluster is to call an image.
func ImageIn(c Cluster, image string) string {
	if n, is := c.(Namer); is {
		return n.ImageName(image)
	}
	return image
}
