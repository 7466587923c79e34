package publish

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// publicSuffix is what the public key's file is named beyond the private one's.
const publicSuffix = ".pub"

// NewKey makes an Ed25519 key: PKCS#8 in PEM at path, for its owner only, and
// the public key in path.pub. Neither file may exist.
func NewKey(path string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	// Both are looked for before either is written: half a pair is worse than none.
	for _, file := range []string{path, path + publicSuffix} {
		if _, err := os.Lstat(file); err == nil {
			return fmt.Errorf("make a key: %s exists already: name another file, or move it away", file)
		}
	}
	if err := writeNew(path, 0o600, &pem.Block{Type: "PRIVATE KEY", Bytes: secret}); err != nil {
		return err
	}
	if err := writeNew(path+publicSuffix, 0o644, &pem.Block{Type: "PUBLIC KEY", Bytes: open}); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// writeNew never overwrites: a key that is lost cannot be had again. What it has
// begun and could not finish it takes away.
func writeNew(path string, mode os.FileMode, block *pem.Block) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	err = pem.Encode(file, block)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write key %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// ReadKey reads a private key. A file that others may read is refused.
func ReadKey(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read key: %s can be read by others (mode %04o): chmod 600 it", path, info.Mode().Perm())
	}
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", path, err)
	}
	private, is := key.(ed25519.PrivateKey)
	if !is {
		return nil, fmt.Errorf("read key %s: want an Ed25519 key, it is %T", path, key)
	}
	return private, nil
}

// ReadPublicKey reads a public key.
func ReadPublicKey(path string) (ed25519.PublicKey, error) {
	der, err := readPEM(path, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	return parsePublic(der)
}

func parsePublic(der []byte) (ed25519.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	public, is := key.(ed25519.PublicKey)
	if !is {
		return nil, fmt.Errorf("public key: want an Ed25519 key, it is %T", key)
	}
	return public, nil
}

func readPEM(path, kind string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("read key: %s holds no PEM block of type %q", path, kind)
	}
	return block.Bytes, nil
}

// signer signs with an Ed25519 key, verifier verifies: the interfaces of DSSE.
type signer struct{ key ed25519.PrivateKey }

var _ dsse.Signer = signer{}

// Sign implements dsse.Signer.
func (s signer) Sign(_ context.Context, data []byte) ([]byte, error) {
	return ed25519.Sign(s.key, data), nil
}

// KeyID implements dsse.Signer.
func (s signer) KeyID() (string, error) { return dsse.SHA256KeyID(s.key.Public()) }

type verifier struct{ key ed25519.PublicKey }

var _ dsse.Verifier = verifier{}

var errSignature = errors.New("the signature is not of this key over this content")

// Verify implements dsse.Verifier.
func (v verifier) Verify(_ context.Context, data, signature []byte) error {
	if !ed25519.Verify(v.key, data, signature) {
		return errSignature
	}
	return nil
}

// KeyID implements dsse.Verifier.
func (v verifier) KeyID() (string, error) { return dsse.SHA256KeyID(v.key) }

// Public implements dsse.Verifier.
func (v verifier) Public() crypto.PublicKey { return v.key }
