package nodetest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Weather is what a link does to what goes through it.
type Weather string

// The kinds of weather.
const (
	Well       Weather = "well"
	Cut        Weather = "cut"        // nothing gets through
	Slow       Weather = "slow"       // little at a time
	Flapping   Weather = "flapping"   // every other connection breaks off in the middle
	Corrupting Weather = "corrupting" // bytes are changed on the way
)

// Link is how the other nodes and the browsers of a world reach a node: a proxy for
// TCP connections, whose address stays when the node stops and starts again.
type Link struct {
	listener net.Listener

	mu      sync.Mutex
	target  string
	weather Weather
	count   int
	rng     *rand.Rand
	open    map[net.Conn]bool
}

func newLink() (*Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	// What is corrupted depends on the order of connections anyhow, the seed does not.
	l := &Link{listener: listener, weather: Well, rng: rand.New(rand.NewPCG(1, 1)), open: map[net.Conn]bool{}}
	go l.serve()
	return l, nil
}

// URL is the address of the node.
func (l *Link) URL() string { return "http://" + l.listener.Addr().String() }

// Close ends the link.
func (l *Link) Close() error {
	err := l.listener.Close()
	l.breakOff()
	return err
}

// Set changes the weather; connections that are open break off.
func (l *Link) Set(w Weather) error {
	switch w {
	case Well, Cut, Slow, Flapping, Corrupting:
	default:
		return fmt.Errorf("a link is never %q", w)
	}
	l.mu.Lock()
	l.weather = w
	l.mu.Unlock()
	l.breakOff()
	return nil
}

func (l *Link) cut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.weather == Cut
}

// to sets where the node listens; empty: nowhere.
func (l *Link) to(addr string) {
	l.mu.Lock()
	l.target = addr
	l.mu.Unlock()
	l.breakOff()
}

func (l *Link) breakOff() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		_ = c.Close() // it breaks off, whatever it says
	}
}

func (l *Link) serve() {
	for {
		c, err := l.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			go l.carry(c)
		}
	}
}

// carry carries one connection to the node and back.
func (l *Link) carry(c net.Conn) {
	defer c.Close()
	l.mu.Lock()
	target, weather := l.target, l.weather
	l.count++
	left := -1 // without end
	if weather == Flapping && l.count%2 == 1 {
		left = 500 + l.rng.IntN(3_000)
	}
	l.mu.Unlock()
	if target == "" || weather == Cut {
		return
	}
	back, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer back.Close()
	l.mu.Lock()
	l.open[c], l.open[back] = true, true
	l.mu.Unlock()
	done := make(chan struct{}, 2)
	for _, way := range [2][2]net.Conn{{c, back}, {back, c}} {
		go func() {
			l.pass(way[0], way[1], weather, left)
			done <- struct{}{}
		}()
	}
	<-done // as soon as one side has ended, the other has nobody to talk with
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	delete(l.open, back)
}

// pass carries bytes one way, at most left of them unless that is negative.
func (l *Link) pass(from io.Reader, to io.Writer, weather Weather, left int) {
	buffer := make([]byte, 4<<10)
	if weather == Slow {
		buffer = buffer[:256]
	}
	for left != 0 {
		n, err := from.Read(buffer)
		if left > 0 {
			n = min(n, left)
			left -= n
		}
		if n > 0 {
			if weather == Corrupting {
				l.corrupt(buffer[:n])
			}
			if weather == Slow {
				time.Sleep(time.Millisecond)
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// corrupt changes a byte of every third piece or so.
func (l *Link) corrupt(piece []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rng.IntN(3) == 0 {
		piece[l.rng.IntN(len(piece))] ^= byte(1 + l.rng.IntN(255))
	}
}
