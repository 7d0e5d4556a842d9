package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
)

// stage holds what a run puts up and takes down again. It plays the test that
// dbtest gives its databases to.
type stage struct {
	testing.TB // never asked: all that dbtest calls is below
	dir        string
	down       []func()
	failed     []error
}

func newStage() (*stage, error) {
	dir, err := os.MkdirTemp("", "entente-bench-")
	if err != nil {
		return nil, err
	}
	return &stage{dir: dir}, nil
}

// failure carries an error of Fatal to guarded.
type failure struct{ err error }

// skipped says that something is missing on this machine.
type skipped struct{ why string }

// Error says what is missing.
func (s skipped) Error() string { return s.why }

// guarded runs fn, and turns Fatal and Skip into errors.
func (s *stage) guarded(fn func() error) (err error) {
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case failure:
			err = fault.err
		default:
			panic(fault)
		}
	}()
	return fn()
}

// clear takes everything down, the last first.
func (s *stage) clear() error {
	s.takeDown(0)
	return errors.Join(append(s.failed, os.RemoveAll(s.dir))...)
}

// takeDown takes down what was put up since there were n things.
func (s *stage) takeDown(n int) {
	for len(s.down) > n {
		last := s.down[len(s.down)-1]
		s.down = s.down[:len(s.down)-1]
		last()
	}
}

// Helper implements testing.TB.
func (s *stage) Helper() {}

// Context implements testing.TB.
func (s *stage) Context() context.Context { return context.Background() }

// Cleanup implements testing.TB.
func (s *stage) Cleanup(fn func()) { s.down = append(s.down, fn) }

// TempDir implements testing.TB.
func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp(s.dir, "")
	if err != nil {
		s.Fatal(err)
	}
	return dir
}

// Errorf implements testing.TB.
func (s *stage) Errorf(format string, args ...any) {
	s.failed = append(s.failed, fmt.Errorf(format, args...))
}

// Fatal implements testing.TB.
func (s *stage) Fatal(args ...any) { panic(failure{errors.New(fmt.Sprint(args...))}) }

// Fatalf implements testing.TB.
func (s *stage) Fatalf(format string, args ...any) { panic(failure{fmt.Errorf(format, args...)}) }

// Skipf implements testing.TB.
func (s *stage) Skipf(format string, args ...any) {
	panic(failure{skipped{fmt.Sprintf(format, args...)}})
}
