package link

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// healed is the word that ends all trouble; the others are the troubles.
const healed = "healed"

// done is the answer to a word that was followed.
const done = "done"

// Serve opens a link from the address listen to the host:port upstream, and does
// what in says, a word a line, until that ends. It answers each word by a line on
// out, and the opening, too.
func Serve(ctx context.Context, listen, upstream string, in io.Reader, out io.Writer) error {
	l, err := open(listen, upstream)
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := fmt.Fprintln(out, done); err != nil {
		return fmt.Errorf("link to %s: %w", upstream, err)
	}
	words := bufio.NewScanner(in)
	for words.Scan() {
		answer := done
		if word := words.Text(); word == healed {
			l.Heal(ctx)
		} else if err := l.Break(Trouble(word)); err != nil {
			answer = err.Error()
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return fmt.Errorf("link to %s: %w", upstream, err)
		}
	}
	return words.Err()
}

// Remote is a link that somebody else serves. It is not for two at once.
type Remote struct {
	words   *io.PipeWriter
	answers *bufio.Scanner
	end     context.CancelFunc
	ended   chan struct{}
}

// Reach opens a link by serve, which is Serve at the far end of two streams and
// goes on until Close, also beyond ctx.
func Reach(ctx context.Context, serve func(ctx context.Context, in io.Reader, out io.Writer) error) (*Remote, error) {
	in, words := io.Pipe()
	answers, out := io.Pipe()
	far, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &Remote{words: words, answers: bufio.NewScanner(answers), end: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		err := serve(far, in, out)
		if err == nil {
			err = errors.New("it ended by itself")
		}
		_ = out.CloseWithError(err)
		_ = in.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	if err := r.heed("open"); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Break makes trouble, as Link.Break does.
func (r *Remote) Break(t Trouble) error { return r.say(string(t)) }

// Heal ends all trouble, as Link.Heal does.
func (r *Remote) Heal() error { return r.say(healed) }

// Close ends the link and the connections over it.
func (r *Remote) Close() {
	_ = r.words.Close()
	r.end()
	<-r.ended
}

func (r *Remote) say(word string) error {
	if _, err := fmt.Fprintln(r.words, word); err != nil {
		return fmt.Errorf("far link: %s: %w", word, err)
	}
	return r.heed(word)
}

// heed reads the answer to a word.
func (r *Remote) heed(word string) error {
	if !r.answers.Scan() {
		return fmt.Errorf("far link: %s: no answer: %w", word, r.answers.Err())
	}
	if answer := r.answers.Text(); answer != done {
		return fmt.Errorf("far link: %s: %s", word, answer)
	}
	return nil
}
