package reach

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/meshfed/meshfed/steps"
)

// Certificates implements steps.Meshes: it asks the gateway's Envoy which
// certificates it holds.
func (r *Reach) Certificates(ctx context.Context, mesh string, of steps.Gateway) ([]*big.Int, error) {
	answer, err := r.admin(ctx, mesh, of, "certs")
	if err != nil {
		return nil, err
	}
	serials, err := parseCertificates(answer)
	if err != nil {
		return nil, fmt.Errorf("certificates of the %s gateway of %s: %w", of, mesh, err)
	}
	return serials, nil
}

// admin is what a gateway's Envoy answers to its administrator.
func (r *Reach) admin(ctx context.Context, mesh string, of steps.Gateway, path string) ([]byte, error) {
	end, err := r.inGateway(ctx, mesh, of, "pilot-agent", "request", "GET", path)
	if err != nil {
		return nil, fmt.Errorf("%s of the %s gateway of %s: %w", path, of, mesh, err)
	}
	if end.code != 0 {
		return nil, fmt.Errorf("%s of the %s gateway of %s: exit code %d: %s", path, of, mesh, end.code, end.errs)
	}
	return []byte(end.out), nil
}

// parseCertificates reads Envoy's answer to /certs (envoy.admin.v3.Certificates).
func parseCertificates(answer []byte) ([]*big.Int, error) {
	var held struct {
		Certificates []struct {
			CertChain []struct {
				SerialNumber string `json:"serial_number"`
			} `json:"cert_chain"`
		} `json:"certificates"`
	}
	if err := json.Unmarshal(answer, &held); err != nil {
		return nil, err
	}
	var serials []*big.Int
	for _, c := range held.Certificates {
		for _, one := range c.CertChain {
			serial, ok := new(big.Int).SetString(one.SerialNumber, 16)
			if !ok {
				return nil, fmt.Errorf("serial number %q is no hexadecimal number", one.SerialNumber)
			}
			serials = append(serials, serial)
		}
	}
	return serials, nil
}
