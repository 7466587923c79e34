package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// names are the capabilities by their numbers (capabilities(7)).
func names() []string {
	return strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
	LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
	SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
	AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON
	BPF CHECKPOINT_RESTORE`)
}

// bounding reads the set of capabilities that can be had at all.
func bounding(status string) (uint64, error) {
	for line := range strings.Lines(status) {
		if hex, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			return strconv.ParseUint(strings.TrimSpace(hex), 16, 64)
		}
	}
	return 0, fmt.Errorf("no CapBnd in /proc/self/status")
}

// fit takes what cannot be had out of a container's configuration or of a
// process's; everything else stays byte for byte.
func fit(document []byte, have uint64) ([]byte, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(document, &top); err != nil {
		return nil, err
	}
	if process, is := top["process"]; is {
		fitted, err := fit(process, have)
		if err != nil {
			return nil, fmt.Errorf("process: %w", err)
		}
		top["process"] = fitted
		return json.Marshal(top)
	}
	raw, is := top["capabilities"]
	if !is || string(raw) == "null" {
		return document, nil
	}
	var sets map[string][]string
	if err := json.Unmarshal(raw, &sets); err != nil {
		return nil, fmt.Errorf("capabilities: %w", err)
	}
	for name, set := range sets {
		sets[name] = slices.DeleteFunc(set, func(c string) bool { return !has(have, c) })
	}
	fitted, err := json.Marshal(sets)
	if err != nil {
		return nil, err
	}
	top["capabilities"] = fitted
	return json.Marshal(top)
}

// has says whether the set holds the capability. One that is not known here is
// runc's to judge.
func has(set uint64, capability string) bool {
	i := slices.Index(names(), strings.TrimPrefix(capability, "CAP_"))
	return i < 0 || set&(1<<i) != 0
}
