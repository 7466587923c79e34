package preflight

import (
	"context"
	"errors"
)

// errNotTried marks what cannot be tried yet; it is no proof of a fault.
var errNotTried = errors.New("not tried")

// tried makes a finding of something that was done on trial.
func tried(f Finding, p probes, try func() error) Finding {
	if p.euid() != 0 {
		f.Severity, f.Found, f.Mend = Warn, "not tried: needs root", "run it as root"
		return f
	}
	err := try()
	switch {
	case err == nil:
		f.Severity, f.Found, f.Mend = OK, "works", ""
	case errors.Is(err, errNotTried):
		f.Severity, f.Found, f.Mend = Warn, err.Error(), "look again when the host packages are there"
	default:
		f.Severity, f.Found = Fail, err.Error()
	}
	return f
}

func namespaces(ctx context.Context, _ Needs, p probes) Finding {
	f := Finding{
		What: "namespaces", Needed: "new network, mount, pid, uts and ipc namespaces",
		Mend: "allow them: in a container, start it privileged (or with CAP_SYS_ADMIN and without a seccomp profile that forbids unshare)",
	}
	return tried(f, p, func() error { return p.namespaces(ctx) })
}

func overlay(_ context.Context, n Needs, p probes) Finding {
	f := Finding{
		What: "overlayfs", Needed: "overlay mounts over the cache folder",
		Mend: "load the kernel module overlay (modprobe overlay); in a container, allow mounts, or put the cache (XDG_CACHE_HOME) on a volume",
	}
	return tried(f, p, func() error { return p.overlay(n.CacheDir) })
}

func links(_ context.Context, _ Needs, p probes) Finding {
	f := Finding{
		What: "bridge and veth", Needed: "links of both kinds",
		Mend: "load the kernel modules bridge and veth (modprobe bridge veth)",
	}
	return tried(f, p, p.links)
}

func nftables(ctx context.Context, _ Needs, p probes) Finding {
	f := Finding{
		What: "nftables", Needed: "sets, verdict maps, NAT and conntrack (kube-proxy)",
		Mend: "load the kernel modules nf_tables, nft_nat, nft_masq, nft_ct, nft_numgen, or boot a kernel that has them",
	}
	return tried(f, p, func() error { return p.nft(ctx) })
}

func iptables(ctx context.Context, _ Needs, p probes) Finding {
	f := Finding{
		What: "iptables-nft", Needed: "REDIRECT and owner matches (istio-init)",
		Mend: "load the kernel modules nft_compat, xt_REDIRECT, xt_owner, or boot a kernel that has them",
	}
	return tried(f, p, func() error { return p.iptables(ctx) })
}
