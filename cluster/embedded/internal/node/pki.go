package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// lifetime is long enough for a lab that is left up, and short enough that a
// leaked key is soon worthless.
const lifetime = 30 * 24 * time.Hour

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
}

// leaf says who a certificate speaks for, as kubeadm names them.
type leaf struct {
	name  string
	user  string
	group string
	// hosts and addresses make it a serving certificate; none, a client's.
	hosts     []string
	addresses []netip.Addr
}

// issuePKI makes the cluster's own authority and everybody's credentials. The
// keys exist in the node's memory file system only.
func (n *node) issuePKI() error {
	ca, err := newAuthority(n.dirs.pki, n.Name)
	if err != nil {
		return fmt.Errorf("cluster authority: %w", err)
	}
	loopback := netip.MustParseAddr("127.0.0.1")
	leaves := []leaf{
		{name: "apiserver", user: "kube-apiserver", addresses: []netip.Addr{loopback, n.plan.Node, n.plan.API},
			hosts: []string{"localhost", n.Name, "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		{name: "kubelet-server", user: "system:node:" + n.Name, group: "system:nodes", hosts: []string{n.Name}, addresses: []netip.Addr{n.plan.Node}},
		{name: "apiserver-kubelet-client", user: "kube-apiserver-kubelet-client", group: "system:masters"},
		{name: "admin", user: "kubernetes-admin", group: "system:masters"},
		{name: "kube-controller-manager", user: "system:kube-controller-manager"},
		{name: "kube-scheduler", user: "system:kube-scheduler"},
		{name: "kube-proxy", user: "system:kube-proxy"},
		{name: "kubelet", user: "system:node:" + n.Name, group: "system:nodes"},
	}
	for _, l := range leaves {
		if err := ca.issue(l); err != nil {
			return fmt.Errorf("certificate of %s: %w", l.name, err)
		}
	}
	if err := writeSigningKey(n.dirs.pki); err != nil {
		return err
	}
	for _, name := range []string{"kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet"} {
		if err := n.writeKubeconfig(n.file(name+".kubeconfig"), name, "https://127.0.0.1:6443"); err != nil {
			return err
		}
	}
	// The node's own administrator is local; who reads Kubeconfig may not be.
	if err := n.writeKubeconfig(n.file("admin-local.kubeconfig"), "admin", "https://127.0.0.1:6443"); err != nil {
		return err
	}
	return n.writeKubeconfig(n.Kubeconfig, "admin", n.Server)
}

func (n *node) file(name string) string { return filepath.Join(n.dirs.pki, name) }

func newAuthority(dir, name string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	tmpl := template509(name+" kubernetes CA", "")
	tmpl.IsCA, tmpl.BasicConstraintsValid = true, true
	tmpl.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{cert: cert, key: key, dir: dir}, writePEM(filepath.Join(dir, "ca.crt"), "CERTIFICATE", der)
}

func template509(user, group string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		// The kernel's generator does not fail on a host that can run this.
		panic(fmt.Sprintf("random serial number: %v", err))
	}
	subject := pkix.Name{CommonName: user}
	if group != "" {
		subject.Organization = []string{group}
	}
	now := time.Now()
	return &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(lifetime)}
}

func (a *authority) issue(l leaf) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl := template509(l.user, l.group)
	tmpl.KeyUsage = x509.KeyUsageDigitalSignature
	tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if len(l.hosts)+len(l.addresses) > 0 {
		tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	tmpl.DNSNames = l.hosts
	for _, ip := range l.addresses {
		tmpl.IPAddresses = append(tmpl.IPAddresses, net.IP(ip.AsSlice()))
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(a.dir, l.name+".crt"), "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(filepath.Join(a.dir, l.name+".key"), key)
}

// writeSigningKey makes the key that signs service accounts' tokens.
func writeSigningKey(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	return writeKey(filepath.Join(dir, "sa.key"), key)
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (n *node) writeKubeconfig(path, leaf, server string) error {
	read := func(name string) []byte {
		b, err := os.ReadFile(n.file(name))
		if err != nil {
			// Written a moment ago by issue; an empty field fails loudly later.
			return nil
		}
		return b
	}
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[n.Name] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: read("ca.crt")}
	cfg.AuthInfos[n.Name] = &clientcmdapi.AuthInfo{ClientCertificateData: read(leaf + ".crt"), ClientKeyData: read(leaf + ".key")}
	cfg.Contexts[n.Name] = &clientcmdapi.Context{Cluster: n.Name, AuthInfo: n.Name}
	cfg.CurrentContext = n.Name
	// clientcmd writes with mode 0600.
	if err := clientcmd.WriteToFile(*cfg, path); err != nil {
		return fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	return nil
}
