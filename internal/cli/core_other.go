//go:build !unix

package cli

func noCoreFile() {}
