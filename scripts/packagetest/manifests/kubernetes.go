package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	containerd "github.com/containerd/containerd/v2/contrib/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsinstall "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	coreinstall "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// scheme knows the API's types, with their defaults.
func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	coreinstall.Install(s)
	appsinstall.Install(s)
	return s
}

// documents are those of a YAML file.
func documents(b []byte) (found [][]byte, err error) {
	reader := utilyaml.NewYAMLReader(bufioReader(b))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(document)) > 0 {
			found = append(found, document)
		}
	}
}

// checkKubernetes reads each object as the API server does with strict validation, and
// validates it as that does before it stores one.
func checkKubernetes(b []byte) (string, error) {
	s := scheme()
	strict := serializer.NewCodecFactory(s, serializer.EnableStrict)
	found, err := documents(b)
	if err != nil {
		return "", err
	}
	var kinds, refused []string
	for _, document := range found {
		object, kind, err := strict.UniversalDeserializer().Decode(document, nil, nil)
		if err != nil {
			return "", err
		}
		s.Default(object)
		if err := validate(s, object); err != nil {
			return "", fmt.Errorf("%s: %w", kind.Kind, err)
		}
		kinds = append(kinds, kind.Kind)
		if d, ok := object.(*appsv1.DaemonSet); ok {
			if refused, err = refusedByBaseline(d); err != nil {
				return "", err
			}
		}
	}
	return fmt.Sprintf("%s: strictly decoded, and valid to Kubernetes %s; level baseline would refuse %s",
		strings.Join(kinds, ", "), kubernetesVersion(), strings.Join(refused, ", ")), nil
}

// validate is the API server's validation, of the kinds that are here.
func validate(s *runtime.Scheme, object runtime.Object) error {
	var errs field.ErrorList
	switch o := object.(type) {
	case *corev1.Namespace:
		var in core.Namespace
		if err := s.Convert(o, &in, nil); err != nil {
			return err
		}
		errs = corevalidation.ValidateNamespace(&in)
	case *corev1.ServiceAccount:
		var in core.ServiceAccount
		if err := s.Convert(o, &in, nil); err != nil {
			return err
		}
		errs = corevalidation.ValidateServiceAccount(&in)
	case *corev1.ConfigMap:
		var in core.ConfigMap
		if err := s.Convert(o, &in, nil); err != nil {
			return err
		}
		errs = corevalidation.ValidateConfigMap(&in)
	case *appsv1.DaemonSet:
		var in apps.DaemonSet
		if err := s.Convert(o, &in, nil); err != nil {
			return err
		}
		errs = appsvalidation.ValidateDaemonSet(&in, podutil.GetValidationOptionsFromPodTemplate(&in.Spec.Template, nil))
	default:
		return fmt.Errorf("nobody here validates %T", object)
	}
	return errs.ToAggregate()
}

// refusedByBaseline are the checks of the pod security level baseline that the pods do
// not pass.
func refusedByBaseline(d *appsv1.DaemonSet) (refused []string, err error) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return nil, err
	}
	level := api.LevelVersion{Level: api.LevelBaseline, Version: api.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(level, &d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec) {
		if !result.Allowed {
			refused = append(refused, result.ForbiddenReason)
		}
	}
	slices.Sort(refused)
	return refused, nil
}

// readPod finds the DaemonSet's container, and what containerd would make of it.
func readPod(b []byte) (container, error) {
	found, err := documents(b)
	if err != nil {
		return container{}, err
	}
	decode := serializer.NewCodecFactory(scheme(), serializer.EnableStrict).UniversalDeserializer()
	for _, document := range found {
		object, _, err := decode.Decode(document, nil, nil)
		if err != nil {
			return container{}, err
		}
		if d, ok := object.(*appsv1.DaemonSet); ok {
			return ofPod(d.Spec.Template.Spec)
		}
	}
	return container{}, errors.New("there is no DaemonSet")
}

// ofPod takes what a test needs: it fails on what it does not know how to run.
func ofPod(pod corev1.PodSpec) (container, error) {
	if !pod.HostNetwork || !pod.HostPID || len(pod.Containers) != 1 {
		return container{}, errors.New("the pod is not one container in the node's network and pid namespaces")
	}
	in := pod.Containers[0]
	security := in.SecurityContext
	if !slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}) || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		return container{}, errors.New("not all capabilities are dropped, or the filter of system calls is not the runtime's")
	}
	c := container{
		args: in.Args, readOnlyRoot: *security.ReadOnlyRootFilesystem, noNewPrivileges: !*security.AllowPrivilegeEscalation,
		filter: func(s *specs.Spec) (*specs.LinuxSeccomp, error) { return containerd.DefaultProfile(s), nil },
	}
	for _, variable := range in.Env {
		c.env = append(c.env, variable.Name+"="+variable.Value)
	}
	for _, capability := range security.Capabilities.Add {
		c.capabilities = append(c.capabilities, "CAP_"+string(capability))
	}
	for _, m := range in.VolumeMounts {
		made := mount{host: hostPath(pod.Volumes, m.Name), path: m.MountPath, readOnly: m.ReadOnly}
		if m.MountPropagation != nil && *m.MountPropagation == corev1.MountPropagationHostToContainer {
			made.propagation = "rslave"
		}
		c.mounts = append(c.mounts, made)
	}
	return c, nil
}

// hostPath is where a volume is on the host, or its name if the kubelet makes it.
func hostPath(volumes []corev1.Volume, name string) string {
	for _, v := range volumes {
		if v.Name == name && v.HostPath != nil {
			return v.HostPath.Path
		}
	}
	return name
}
