package image

import "strings"

// Canonical is the full form of an image name, as container tools agree on it:
// registry/repository:tag or registry/repository@digest. A name without a
// registry is Docker Hub's, without a tag it means "latest", and a digest makes
// the tag meaningless. An image id ("sha256:…") stays as it is.
func Canonical(ref string) string {
	if strings.HasPrefix(ref, "sha256:") {
		return ref
	}
	name, digest, hasDigest := strings.Cut(ref, "@")
	repository, tag := splitTag(name)
	if hasDigest {
		return qualify(repository) + "@" + digest
	}
	if tag == "" {
		tag = "latest"
	}
	return qualify(repository) + ":" + tag
}

// splitTag knows a registry's port from a tag: a tag has no slash behind it.
func splitTag(name string) (repository, tag string) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 || strings.Contains(name[i:], "/") {
		return name, ""
	}
	return name[:i], name[i+1:]
}

func qualify(repository string) string {
	first, _, nested := strings.Cut(repository, "/")
	switch {
	case !nested:
		return "docker.io/library/" + repository
	case strings.ContainsAny(first, ".:") || first == "localhost":
		return repository
	}
	return "docker.io/" + repository
}

// repositoryOf is a canonical name without its tag or digest.
func repositoryOf(canonical string) string {
	name, _, _ := strings.Cut(canonical, "@")
	repository, _ := splitTag(name)
	return repository
}
