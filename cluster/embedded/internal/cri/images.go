package cri

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/meshfed/meshfed/cluster/embedded/internal/cri/image"
)

// resolve finds an image of the store; an unknown one is gRPC's NotFound.
func (s *Server) resolve(ref string) (image.Image, error) {
	img, err := s.cfg.Images.Resolve(ref)
	var unknown *image.UnknownError
	if errors.As(err, &unknown) {
		return img, status.Error(codes.NotFound, err.Error())
	}
	return img, err
}

// PullImage finds the image among those of the node: nothing is pulled.
func (s *Server) PullImage(_ context.Context, req *runtimeapi.PullImageRequest) (*runtimeapi.PullImageResponse, error) {
	img, err := s.resolve(req.GetImage().GetImage())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hidden, img.ID)
	return &runtimeapi.PullImageResponse{ImageRef: img.ID}, nil
}

// ImageStatus describes an image; for one that is not there the response is empty.
func (s *Server) ImageStatus(_ context.Context, req *runtimeapi.ImageStatusRequest) (*runtimeapi.ImageStatusResponse, error) {
	img, err := s.resolve(req.GetImage().GetImage())
	if status.Code(err) == codes.NotFound || err == nil && s.isHidden(img) {
		return &runtimeapi.ImageStatusResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	resp := &runtimeapi.ImageStatusResponse{Image: describeImage(img)}
	if req.GetVerbose() {
		resp.Info = map[string]string{"rootfs": img.Rootfs}
	}
	return resp, nil
}

// ListImages lists the images of the node.
func (s *Server) ListImages(_ context.Context, req *runtimeapi.ListImagesRequest) (*runtimeapi.ListImagesResponse, error) {
	images, err := s.cfg.Images.List()
	if err != nil {
		return nil, err
	}
	wanted := req.GetFilter().GetImage().GetImage()
	resp := &runtimeapi.ListImagesResponse{}
	for _, img := range images {
		if s.isHidden(img) {
			continue
		}
		if found, err := s.resolve(wanted); wanted != "" && (err != nil || found.ID != img.ID) {
			continue
		}
		resp.Images = append(resp.Images, describeImage(img))
	}
	return resp, nil
}

// RemoveImage hides the image until it is pulled again; its files are not the
// runtime's to delete. It is idempotent.
func (s *Server) RemoveImage(_ context.Context, req *runtimeapi.RemoveImageRequest) (*runtimeapi.RemoveImageResponse, error) {
	img, err := s.resolve(req.GetImage().GetImage())
	if status.Code(err) == codes.NotFound {
		return &runtimeapi.RemoveImageResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hidden[img.ID] = true
	return &runtimeapi.RemoveImageResponse{}, nil
}

// ImageFsInfo says where writable layers are. The images themselves lie outside
// the runtime's care, so nothing is used by them.
func (s *Server) ImageFsInfo(context.Context, *runtimeapi.ImageFsInfoRequest) (*runtimeapi.ImageFsInfoResponse, error) {
	usage := &runtimeapi.FilesystemUsage{
		Timestamp: time.Now().UnixNano(), FsId: &runtimeapi.FilesystemIdentifier{Mountpoint: s.cfg.StateDir},
		UsedBytes: &runtimeapi.UInt64Value{}, InodesUsed: &runtimeapi.UInt64Value{},
	}
	all := []*runtimeapi.FilesystemUsage{usage}
	return &runtimeapi.ImageFsInfoResponse{ImageFilesystems: all, ContainerFilesystems: all}, nil
}

func (s *Server) isHidden(img image.Image) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hidden[img.ID]
}

// describeImage pins every image: kubelet's garbage collection has nothing to gain.
func describeImage(img image.Image) *runtimeapi.Image {
	out := &runtimeapi.Image{
		Id: img.ID, RepoDigests: []string{img.Digest()}, Size: img.Size, Pinned: true,
		Spec: &runtimeapi.ImageSpec{Image: img.Names[0]},
	}
	for _, name := range img.Names {
		if !strings.Contains(name, "@") {
			out.RepoTags = append(out.RepoTags, name)
		}
	}
	user, _, _ := strings.Cut(img.User, ":")
	if uid, err := strconv.ParseInt(user, 10, 64); err == nil {
		out.Uid = &runtimeapi.Int64Value{Value: uid}
	} else {
		out.Username = user
	}
	return out
}
