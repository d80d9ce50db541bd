//go:build !unix

package leadsquared

const noFollow = 0
