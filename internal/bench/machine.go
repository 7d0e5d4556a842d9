package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// machine describes what the figures were measured on, without naming the host.
func machine() string {
	return fmt.Sprintf("%s, %d cores, %s of memory, %s, %s",
		cpuModel(), runtime.NumCPU(), sizeText(memoryTotal()), kernel(), runtime.Version())
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, found := strings.Cut(lines.Text(), ":")
		if found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func memoryTotal() int64 { return fieldOf("/proc/meminfo", "MemTotal") }

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return "Linux " + strings.TrimSpace(string(text))
}

// process is another process, or this one, as /proc shows it.
type process int

// resident is the memory that the process holds now.
func (p process) resident() int64 { return fieldOf(fmt.Sprintf("/proc/%d/status", int(p)), "VmRSS") }

// peak is the most memory that the process has held since forgetPeak.
func (p process) peak() int64 { return fieldOf(fmt.Sprintf("/proc/%d/status", int(p)), "VmHWM") }

// forgetPeak begins a new measurement of peak.
func (p process) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", int(p)), []byte("5"), 0)
}

// cpu is the processor time that the process has used, in seconds.
func (p process) cpu() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", int(p)))
	if err != nil {
		return 0, err
	}
	// The name of the program stands in brackets and may hold blanks.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", int(p), len(fields))
	}
	var ticks float64
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	const perSecond = 100 // USER_HZ, the same on every Linux that Go runs on
	return ticks / perSecond, nil
}

// fieldOf reads a line such as "VmRSS:   1234 kB"; 0 where there is none.
func fieldOf(file, name string) int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		rest, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			return 0
		}
		return n << 10
	}
	return 0
}

func sizeText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}
