// Package admit decides which declarations of a wish can be in force together
// when not all of them can: a bad one must not keep a good one out, and must not
// push out one that is in force already.
//
// It is pure: the wish, what is in force, and what the cluster has vetoed come
// in; a valid spec and the refusals go out. It must not know how either is read
// or carried out.
package admit
