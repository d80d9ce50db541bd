//go:build !linux

package postgres

import "time"

func elapsed() time.Duration { return sinceStart() }
