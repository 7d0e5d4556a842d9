package main

import (
	"fmt"
	"io"
	"time"
)

// progress shows on a terminal how far long work is; in a pipe it shows nothing.
type progress struct {
	c    *console
	w    io.Writer
	what string
	next time.Time
}

const (
	progressDelay = 300 * time.Millisecond // short work shows nothing
	progressEvery = 100 * time.Millisecond
)

func (c *console) progress(what string) *progress {
	p := &progress{c: c, what: what, next: time.Now().Add(progressDelay)}
	if above, ok := c.err.(*aboveProgress); ok && c.errTerm {
		p.w = above.w
	}
	return p
}

// step says that done of total is done (0: the total is not known), and what is
// being done now. It may be called very often.
func (p *progress) step(done, total int, now string) {
	if p.w == nil || time.Now().Before(p.next) {
		return
	}
	p.next = time.Now().Add(progressEvery)
	count := fmt.Sprint(done)
	if total > 0 {
		count = fmt.Sprintf("%d of %d", done, total)
	}
	line := []rune(fmt.Sprintf("%s: %s  %s", p.what, count, now))
	if len(line) > narrowest {
		line = append(line[:narrowest-1], '…')
	}
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	p.c.drawn = true
	fmt.Fprintf(p.w, "\r\x1b[K%s", string(line))
}

// end takes the line away.
func (p *progress) end() {
	if p.w == nil {
		return
	}
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	if p.c.drawn {
		p.c.drawn = false
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
