package traffic

import (
	"crypto/tls"
	"fmt"

	"github.com/meshfed/meshfed/traffic/wire"
)

// TLSAlert is the name of an alert as RFC 8446, section 6, spells it:
// "certificate_required". The zero value is no alert.
type TLSAlert string

// AlertNamed is the name of an alert's code; unknown codes are "alert_123".
func AlertNamed(code tls.AlertError) TLSAlert {
	if name, ok := alertNames()[uint8(code)]; ok {
		return name
	}
	return TLSAlert(fmt.Sprintf("alert_%d", uint8(code)))
}

// alertOf is the alert in an error, if there is one.
func alertOf(err error) TLSAlert {
	if code, ok := wire.AlertOf(err); ok {
		return AlertNamed(code)
	}
	return ""
}

// alertNames is the registry of RFC 8446 and of the extensions since.
func alertNames() map[uint8]TLSAlert {
	return map[uint8]TLSAlert{
		0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
		30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate",
		43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
		47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error",
		60: "export_restriction", 70: "protocol_version", 71: "insufficient_security", 80: "internal_error",
		86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
		110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
		113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity",
		116: "certificate_required", 120: "no_application_protocol", 121: "ech_required",
	}
}
