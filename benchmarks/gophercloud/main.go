// SPDX-License-Identifier: Apache-2.0

// Lists images with gophercloud, and prints their number and the wall and CPU
// time of the list as JSON, without authentication. The argument is the way:
// EachPage or AllPages.
package main

import (
	"fmt"
	"log"
	"os"
	"syscall"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/images"
	"github.com/gophercloud/gophercloud/pagination"
)

func cpu() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	nanoseconds := used.Utime.Nano() + used.Stime.Nano()
	return float64(nanoseconds) / 1e9
}

func count(page pagination.Page) (int, error) {
	found, err := images.ExtractImages(page)
	return len(found), err
}

func list(pager pagination.Pager, all bool) (int, error) {
	if all {
		page, err := pager.AllPages()
		if err != nil {
			return 0, err
		}
		return count(page)
	}
	total := 0
	err := pager.EachPage(func(page pagination.Page) (bool, error) {
		found, err := count(page)
		total += found
		return true, err
	})
	return total, err
}

func main() {
	options := gophercloud.AuthOptions{
		IdentityEndpoint: os.Getenv("OS_AUTH_URL"),
		Username:         os.Getenv("OS_USERNAME"),
		Password:         os.Getenv("OS_PASSWORD"),
		TenantName:       os.Getenv("OS_PROJECT_NAME"),
		DomainName:       os.Getenv("OS_USER_DOMAIN_NAME"),
	}
	provider, err := openstack.AuthenticatedClient(options)
	if err != nil {
		log.Fatal(err)
	}
	client, err := openstack.NewComputeV2(provider, gophercloud.EndpointOpts{
		Region: os.Getenv("OS_REGION_NAME"),
	})
	if err != nil {
		log.Fatal(err)
	}
	pager := images.ListDetail(client, images.ListOpts{Limit: 1000})
	began, before := time.Now(), cpu()
	total, err := list(pager, os.Args[1] == "AllPages")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf(
		"{\"images\": %d, \"wall\": %.6f, \"cpu\": %.6f}\n",
		total, time.Since(began).Seconds(), cpu()-before,
	)
}
