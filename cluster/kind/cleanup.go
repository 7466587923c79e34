package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Cleanup removes the labs of that name, or all of this provider's, whatever
// state they are in: up, kept, or half made by a process that was killed. It
// says what it removed. A lab that a live process is making or using as its
// own is left, and is an error.
func (p *Provider) Cleanup(ctx context.Context, only string) (removed []string, err error) {
	names, err := p.names()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, name := range names {
		if only != "" && only != name {
			continue
		}
		l := p.lab(name)
		if l.beingMade() {
			errs = append(errs, fmt.Errorf("lab %q: a run that is alive has it: stop the run first", name))
			continue
		}
		if err := l.discard(ctx); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, "lab "+name)
	}
	left, err := p.cleanEngines(ctx, only)
	return append(removed, left...), errors.Join(append(errs, err)...)
}

// discard deletes a lab that may lack its record: it was killed before it had
// made anything.
func (l *Lab) discard(ctx context.Context) error {
	err := l.readRecord()
	if errors.Is(err, os.ErrNotExist) {
		return os.RemoveAll(l.dir)
	}
	if err != nil {
		return fmt.Errorf("lab %q: %w", l.name, err)
	}
	return l.Delete(ctx)
}

// cleanEngines removes what carries this provider's label and has no record
// any more, and stops an engine of our own that nothing uses.
func (p *Provider) cleanEngines(ctx context.Context, only string) ([]string, error) {
	var removed []string
	var errs []error
	user := p.users()
	if user.answers(ctx) == nil {
		found, err := p.removeStrays(ctx, user, only)
		removed, errs = append(removed, found...), append(errs, err)
	}
	own := p.engine()
	if _, err := os.Stat(own.Dir); errors.Is(err, os.ErrNotExist) {
		return removed, errors.Join(errs...)
	}
	hold, err := own.Hold()
	if err != nil {
		return removed, errors.Join(append(errs, err)...)
	}
	defer hold.Close()
	up, err := own.Ready(ctx)
	errs = append(errs, err)
	if up {
		found, err := p.removeStrays(ctx, p.docker(own.Host()), only)
		removed, errs = append(removed, found...), append(errs, err)
	}
	return removed, errors.Join(append(errs, p.stopUnused(ctx))...)
}

func (p *Provider) removeStrays(ctx context.Context, d docker, only string) ([]string, error) {
	labs, err := d.labs(ctx)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, name := range labs {
		if only != "" && only != name || p.lab(name).readRecord() == nil {
			continue
		}
		clusters, err := d.strays(ctx, name)
		if err == nil {
			err = d.remove(ctx, name, clusters)
		}
		if err != nil {
			return removed, fmt.Errorf("what is left of lab %q: %w", name, err)
		}
		removed = append(removed, "what was left of lab "+name)
	}
	return removed, nil
}
