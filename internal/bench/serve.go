package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// served is the real program, serving a folder in a process of its own.
type served struct {
	process
	address string
	started time.Duration // from the start of the process until it answered
	cmd     *exec.Cmd
}

// serveFolder starts the program on a folder and waits until it answers.
func serveFolder(ctx context.Context, program, folder string) (*served, error) {
	cmd := exec.Command(program, "serve", "--addr", "127.0.0.1:0", "--data", folder)
	cmd.Env = append(cmd.Environ(), "ENTENTE_LOG=error")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	began := time.Now()
	err = cmd.Start()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be started (build it first): %w", program, err)
	}
	s := &served{process: process(cmd.Process.Pid), cmd: cmd}
	lines := bufio.NewScanner(out)
	for s.address == "" && lines.Scan() {
		if i := strings.Index(lines.Text(), "http://"); i >= 0 {
			s.address = strings.TrimSpace(lines.Text()[i:])
		}
	}
	go io.Copy(io.Discard, out) // a full pipe would stop the program
	if s.address == "" {
		return nil, errors.Join(fmt.Errorf("%s serve says no address: %s", program, complaint.String()), s.stop())
	}
	c := client{address: s.address}
	for {
		status, _, err := c.ask(ctx, "GET", "/healthz", nil)
		if err == nil && status == 200 {
			break
		}
		if time.Since(began) > time.Minute || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("the program does not answer at %s: %d %v", s.address, status, err), s.stop())
		}
		time.Sleep(time.Millisecond)
	}
	s.started = time.Since(began)
	return s, nil
}

// stop ends the program in order.
func (s *served) stop() error {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if err != nil {
		return err
	}
	return s.cmd.Wait()
}

// idle waits until the program has nothing to do, and gives the memory that it
// holds then.
func (s *served) idle(ctx context.Context) (int64, error) {
	last, err := s.cpu()
	if err != nil {
		return 0, err
	}
	for quiet := 0; quiet < 3; {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Second):
		}
		now, err := s.cpu()
		if err != nil {
			return 0, err
		}
		quiet++
		if now-last > 0.05 {
			quiet = 0
		}
		last = now
	}
	return s.resident(), nil
}
