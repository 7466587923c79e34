// Package bench is the place where the features run: two or more meshes of a
// lab with Bookinfo and the dedicated certificates on them, a federation
// engine, and the means to look at what it did.
//
// It knows no provider and no particular engine: `federator explain`, which some
// steps ask, reads what is there, whichever engine has made it.
package bench
