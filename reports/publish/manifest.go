package publish

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/meshfed/meshfed/reports"
)

// ManifestKind identifies the format; its version is reports.APIVersion.
const ManifestKind = "RunManifest"

// Manifest is the digests of all that a run has left.
type Manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Run is the run's id.
	Run string `json:"run"`
	// PublicKey is that of the signature, PKIX DER in base64; empty if the
	// run is not signed. Whose it is has to be learned elsewhere.
	PublicKey string `json:"publicKey,omitempty"`
	// Files are sorted by path: all of the folder but the manifest and its
	// envelope.
	Files []FileDigest `json:"files"`
}

// FileDigest is what one file held.
type FileDigest struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// newManifest reads every file of the folder.
func newManifest(folder, run string) (Manifest, error) {
	m := Manifest{APIVersion: reports.APIVersion, Kind: ManifestKind, Run: run, Files: []FileDigest{}}
	// WalkDir goes in the order of the names, so that the list is sorted.
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil || name == ManifestFile || name == EnvelopeFile {
			return err
		}
		if !entry.Type().IsRegular() {
			return fmt.Errorf("%s is no regular file: what it leads to could change", name)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		m.Files = append(m.Files, FileDigest{Path: filepath.ToSlash(name), SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(content))})
		return nil
	})
	if err != nil {
		return m, fmt.Errorf("manifest of %s: %w", folder, err)
	}
	return m, nil
}

// encode is the one form of a value that is accepted: a file that says the
// same in other bytes has been changed by somebody.
func encode(value any) ([]byte, error) {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(content, '\n'), nil
}

// decode reads what encode wrote, and nothing else.
func decode(content []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	again, err := encode(into)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, content) {
		return fmt.Errorf("it is not in the form in which it was written: it has been changed")
	}
	return nil
}
