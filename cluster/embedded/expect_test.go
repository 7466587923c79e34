package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/e2e-framework/klient/wait/conditions"
	"sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/envfuncs"
	"sigs.k8s.io/e2e-framework/pkg/features"

	"github.com/meshfed/meshfed/cluster"
	"github.com/meshfed/meshfed/cluster/e2e"
)

// TestWhatAPersonExpectsOfAClusterHolds brings one cluster up through the
// e2e-framework and uses it as somebody with kubectl would.
func TestWhatAPersonExpectsOfAClusterHolds(t *testing.T) {
	needLab(t)
	provider, err := New(WithStateDir(t.TempDir()))
	require.NoError(t, err)
	shared, err := e2e.NewLab(provider, "person", cluster.TopologyOf(1))
	require.NoError(t, err)
	c := envfuncs.CreateCluster(shared.Cluster(), "c1")
	config := envconf.New()
	ctx, err := c(t.Context(), config)
	require.NoError(t, err)
	defer func() {
		_, err := envfuncs.DestroyCluster("c1")(context.WithoutCancel(ctx), config)
		assert.NoError(t, err)
	}()
	lab, err := provider.Open(t.Context(), "person")
	require.NoError(t, err)
	tools := lab.(*Lab).ToolsDir()

	t.Run("features of the framework run on it", func(t *testing.T) { frameworkFeature(ctx, t, config) })
	t.Run("all", func(t *testing.T) {
		for name, expects := range map[string]func(person){
			"deployments roll":                        deploymentsRoll,
			"services and DNS answer":                 servicesAnswer,
			"volumes follow updates":                  volumesFollow,
			"init containers run first, in order":     initContainers,
			"a failed probe restarts":                 probesRestart,
			"a crash backs off":                       crashesBackOff,
			"logs can be followed":                    logsFollow,
			"exec has a terminal":                     execTerminal,
			"port-forward carries HTTP":               portForward,
			"describe tells the story":                describeTells,
			"deletion is graceful, and then it kills": deletion,
			"an unknown image is an ordinary error":   unknownImage,
			"a container sees nothing of the host":    sealed,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				namespace := envconf.RandomName("person", 12)
				expects(newPerson(t, filepath.Join(tools, "kubectl"), config, namespace))
			})
		}
	})
	t.Run("a control plane that dies comes back", func(t *testing.T) { controlPlaneDies(t, lab) })
}

func newPerson(t *testing.T, kubectl string, config *envconf.Config, namespace string) person {
	t.Helper()
	client, err := config.NewClient()
	require.NoError(t, err)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	require.NoError(t, client.Resources().Create(t.Context(), ns))
	return person{t: t, kubectlBin: kubectl, kubeconfig: config.KubeconfigFile(), namespace: namespace, client: client}
}

func frameworkFeature(ctx context.Context, t *testing.T, config *envconf.Config) {
	environment, err := env.NewWithContext(ctx, config)
	require.NoError(t, err)
	assessed := false
	environment.Test(t, features.New("a cluster").
		Assess("is found by its name and serves a mesh", func(ctx context.Context, t *testing.T, config *envconf.Config) context.Context {
			c, found := envfuncs.GetClusterFromContext(ctx, "c1")
			require.True(t, found)
			assert.Equal(t, "c1", c.GetKubectlContext())
			err := conditions.New(config.Client().Resources()).DeploymentAvailable("istiod", "istio-system")
			available, errWait := err(ctx)
			require.NoError(t, errWait)
			assert.True(t, available)
			assessed = true
			return ctx
		}).Feature())
	assert.True(t, assessed)
}

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: web
        image: meshfed.local/bookinfo:dev
        args: [details]
        env: [{name: SERVICE_VERSION, value: v1}, {name: CLUSTER_NAME, value: c1}]
        readinessProbe: {tcpSocket: {port: 9080}, periodSeconds: 1}
`

func (p person) rollOut(name string) {
	p.t.Helper()
	p.kubectl("rollout", "status", "deployment/"+name, "--timeout=60s")
}

func deploymentsRoll(p person) {
	p.create(web)
	p.rollOut("web")
	before := p.kubectl("get", "pods", "-l", "app=web", "-o", "name", "--field-selector=status.phase=Running")
	p.kubectl("set", "env", "deployment/web", "COLOUR=blue")
	p.rollOut("web")
	var d appsv1.Deployment
	require.NoError(p.t, p.client.Resources(p.namespace).Get(p.t.Context(), "web", p.namespace, &d))
	assert.EqualValues(p.t, 2, d.Status.UpdatedReplicas)
	for _, old := range strings.Fields(before) {
		p.waitFor(conditions.New(p.client.Resources()).ResourceDeleted(p.pod(strings.TrimPrefix(old, "pod/"))), 30*time.Second)
	}
	p.kubectl("rollout", "undo", "deployment/web")
	p.rollOut("web")
}

func servicesAnswer(p person) {
	p.create(web + "---" + sh("client", "sleep 600", "Never") + `---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 9080}]}
---
apiVersion: v1
kind: Service
metadata: {name: on-nodes}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 9080}]}
---
apiVersion: v1
kind: Service
metadata: {name: balanced}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: 9080}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias}
spec: {type: ExternalName, externalName: web.` + p.namespace + `.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: each}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 9080}]}
`)
	p.rollOut("web")
	p.waitFor(conditions.New(p.client.Resources()).PodReady(p.pod("client")), 30*time.Second)
	ask := func(host string, port int) {
		p.t.Helper()
		assert.EventuallyWithT(p.t, func(c *assert.CollectT) {
			answer, err := p.get("client", host, port, "/details/0")
			assert.NoError(c, err, answer)
			assert.Contains(c, answer, "200 OK")
			assert.Contains(c, answer, `"author"`, "it is the workload that answers")
		}, 20*time.Second, 200*time.Millisecond, "%s:%d", host, port)
	}
	ask("web", 80)
	ask("web."+p.namespace+".svc.cluster.local", 80)
	ask("alias", 80)
	ask("each", 9080)
	node := p.kubectl("get", "nodes", "-o", `jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}`)
	port := 0
	_, err := fmt.Sscan(p.kubectl("get", "service", "on-nodes", "-o", "jsonpath={.spec.ports[0].nodePort}"), &port)
	require.NoError(p.t, err)
	ask(node, port)
	balanced := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "balanced", Namespace: p.namespace}}
	p.waitFor(func(ctx context.Context) (bool, error) {
		err := p.client.Resources().Get(ctx, "balanced", p.namespace, balanced)
		return err == nil && len(balanced.Status.LoadBalancer.Ingress) == 1, err
	}, 20*time.Second)
	ask(balanced.Status.LoadBalancer.Ingress[0].IP, 80)
	answer, err := p.get("client", "nobody", 80, "/")
	assert.Error(p.t, err, "a name that nobody has: %s", answer)
}

func volumesFollow(p person) {
	p.create(`
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: red}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {word: first}
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: ` + shell + `
    command: [sleep, "600"]
    volumeMounts:
    - {name: settings, mountPath: /settings}
    - {name: password, mountPath: /password}
    - {name: token, mountPath: /token}
    - {name: empty, mountPath: /empty}
  volumes:
  - {name: settings, configMap: {name: settings}}
  - {name: password, secret: {secretName: password, defaultMode: 0444}}
  - {name: empty, emptyDir: {medium: Memory}}
  - name: token
    projected:
      sources: [{serviceAccountToken: {path: token, audience: somebody, expirationSeconds: 600}}]
`)
	p.waitFor(conditions.New(p.client.Resources()).PodReady(p.pod("reader")), 30*time.Second)
	read := func(path string) string { return p.kubectl("exec", "reader", "--", "cat", path) }
	assert.Equal(p.t, "red", read("/settings/colour"))
	assert.Equal(p.t, "first", read("/password/word"))
	assert.Len(p.t, strings.Split(read("/token/token"), "."), 3, "a signed token")
	p.kubectl("patch", "configmap", "settings", "-p", `{"data":{"colour":"blue"}}`)
	p.kubectl("patch", "secret", "password", "-p", `{"stringData":{"word":"second"}}`)
	assert.EventuallyWithT(p.t, func(c *assert.CollectT) {
		colour, err := p.try("exec", "reader", "--", "cat", "/settings/colour", "/password/word")
		assert.NoError(c, err)
		assert.Equal(c, "bluesecond", colour)
	}, 2*time.Minute, 500*time.Millisecond, "kubelet syncs a pod's volumes once a minute")
}

func initContainers(p person) {
	p.create(`
apiVersion: v1
kind: Pod
metadata: {name: prepared}
spec:
  restartPolicy: Never
  initContainers:
  - {name: one, image: ` + shell + `, command: [bash, -c, "sleep 0.2; echo one >> /work/log"], volumeMounts: [{name: work, mountPath: /work}]}
  - {name: two, image: ` + shell + `, command: [bash, -c, "echo two >> /work/log"], volumeMounts: [{name: work, mountPath: /work}]}
  containers:
  - {name: main, image: ` + shell + `, command: [cat, /work/log], volumeMounts: [{name: work, mountPath: /work}]}
  volumes: [{name: work, emptyDir: {}}]
`)
	p.waitFor(conditions.New(p.client.Resources()).PodPhaseMatch(p.pod("prepared"), corev1.PodSucceeded), 30*time.Second)
	assert.Equal(p.t, "one\ntwo\n", p.kubectl("logs", "prepared", "-c", "main"))
}

func probesRestart(p person) {
	p.create(`
apiVersion: v1
kind: Pod
metadata: {name: ill}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: ` + shell + `
    command: [bash, -c, "touch /tmp/well; sleep 2; rm /tmp/well; sleep 600"]
    livenessProbe: {exec: {command: [test, -e, /tmp/well]}, periodSeconds: 1, failureThreshold: 1}
    readinessProbe: {exec: {command: [test, -e, /tmp/well]}, periodSeconds: 1}
    volumeMounts: [{name: tmp, mountPath: /tmp}]
  volumes: [{name: tmp, emptyDir: {}}]
`)
	p.waitFor(conditions.New(p.client.Resources()).PodReady(p.pod("ill")), 30*time.Second)
	p.waitFor(conditions.New(p.client.Resources()).ResourceMatch(p.pod("ill"), podIs(func(pod *corev1.Pod) bool {
		return len(pod.Status.ContainerStatuses) == 1 && pod.Status.ContainerStatuses[0].RestartCount >= 1
	})), time.Minute)
	assert.Contains(p.t, p.kubectl("get", "events"), "Liveness probe failed")
}

func crashesBackOff(p person) {
	p.create(sh("crash", "echo about to fail; exit 7", "Always"))
	p.waitFor(conditions.New(p.client.Resources()).ResourceMatch(p.pod("crash"), podIs(func(pod *corev1.Pod) bool {
		if len(pod.Status.ContainerStatuses) != 1 {
			return false
		}
		now, before := pod.Status.ContainerStatuses[0].State.Waiting, pod.Status.ContainerStatuses[0].LastTerminationState.Terminated
		return now != nil && now.Reason == "CrashLoopBackOff" && before != nil && before.ExitCode == 7
	})), time.Minute)
	// Kubelet keeps one dead container. From the next crash until its next
	// look at the pod (14 s were seen) it names one that it has removed, here
	// as on any cluster; a person asks again.
	assert.EventuallyWithT(p.t, func(c *assert.CollectT) {
		log, err := p.try("logs", "crash", "--previous")
		assert.NoError(c, err)
		assert.Contains(c, log, "about to fail")
	}, time.Minute, 500*time.Millisecond)
}

func logsFollow(p person) {
	p.create(sh("talker", "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.5; done", "Never"))
	p.waitFor(conditions.New(p.client.Resources()).PodRunning(p.pod("talker")), 30*time.Second)
	assert.Equal(p.t, "line 1\nline 2\nline 3\nline 4\nline 5\nline 6\n", p.kubectl("logs", "-f", "talker"))
}

func execTerminal(p person) {
	p.create(sh("box", "sleep 600", "Never"))
	p.waitFor(conditions.New(p.client.Resources()).PodReady(p.pod("box")), 30*time.Second)
	out := p.onATerminal("meshfed\n", "exec", "-it", "box", "--", "bash", "-c", "test -t 0 && test -t 1 && read word && echo hello $word")
	assert.Contains(p.t, out, "hello meshfed")
	_, err := p.try("exec", "box", "--", "bash", "-c", "exit 3")
	assert.ErrorContains(p.t, err, "exit status 3")
}

func portForward(p person) {
	p.create(web)
	p.rollOut("web")
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	forward := p.command(ctx, "port-forward", "deployment/web", ":9080")
	out, err := forward.StdoutPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, forward.Start())
	defer func() { cancel(); _ = forward.Wait() }()
	first, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(p.t, err)
	address := strings.Fields(strings.TrimPrefix(first, "Forwarding from "))[0]
	for range 3 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/details/0", nil)
		require.NoError(p.t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(p.t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(p.t, err)
		require.NoError(p.t, answer.Body.Close())
		assert.Contains(p.t, string(body), `"author"`)
	}
}

func describeTells(p person) {
	p.create(sh("box", "sleep 600", "Never"))
	p.waitFor(conditions.New(p.client.Resources()).PodReady(p.pod("box")), 30*time.Second)
	assert.EventuallyWithT(p.t, func(c *assert.CollectT) {
		text, err := p.try("describe", "pod", "box")
		assert.NoError(c, err)
		for _, word := range []string{"Scheduled", "Pulled", "Created", "Started", shell, "Running"} {
			assert.Contains(c, text, word)
		}
	}, 10*time.Second, 200*time.Millisecond)
}

func deletion(p person) {
	p.create(sh("polite", "trap 'exit 0' TERM; while :; do sleep 0.1; done", "Never"))
	p.create(sh("stubborn", "trap '' TERM; while :; do sleep 0.1; done", "Never"))
	for _, name := range []string{"polite", "stubborn"} {
		p.waitFor(conditions.New(p.client.Resources()).PodReady(p.pod(name)), 30*time.Second)
	}
	begun := time.Now()
	p.kubectl("delete", "pod", "polite", "--grace-period=30")
	assert.Less(p.t, time.Since(begun), 20*time.Second, "it left when it was asked to")
	begun = time.Now()
	p.kubectl("delete", "pod", "stubborn", "--grace-period=2")
	assert.GreaterOrEqual(p.t, time.Since(begun), 2*time.Second, "it had its time")
	assert.Less(p.t, time.Since(begun), 20*time.Second, "and no more")
}

func unknownImage(p person) {
	p.create(`
apiVersion: v1
kind: Pod
metadata: {name: stranger}
spec:
  containers: [{name: main, image: "example.com/nobody/knows:1"}]
`)
	pod := p.pod("stranger")
	p.waitFor(conditions.New(p.client.Resources()).ResourceMatch(pod, podIs(func(pod *corev1.Pod) bool {
		return len(pod.Status.ContainerStatuses) == 1 && pod.Status.ContainerStatuses[0].State.Waiting != nil &&
			pod.Status.ContainerStatuses[0].State.Waiting.Reason == "ErrImagePull"
	})), 30*time.Second)
	assert.Contains(p.t, pod.Status.ContainerStatuses[0].State.Waiting.Message, "meshfed.local/bookinfo:dev", "it lists the known ones")
}

func sealed(p person) {
	// A server of the host, on every address it has, that a lab must not reach.
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(p.t, err)
	defer func() { _ = listener.Close() }()
	go func() {
		_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the host") }))
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	control, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	require.NoError(p.t, err, "the host itself reaches it")
	require.NoError(p.t, control.Close())

	p.create(sh("box", "sleep 600", "Never"))
	p.create(strings.Replace(sh("on-node", "sleep 600", "Never"), "spec:\n", "spec:\n  hostNetwork: true\n", 1))
	p.waitFor(conditions.New(p.client.Resources()).PodReady(p.pod("box")), 30*time.Second)
	for _, address := range hostAddresses(p.t) {
		answer, err := p.try("exec", "box", "--", "timeout", "2", "bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/%s/%d", address, port))
		assert.Error(p.t, err, "a container reached the host at %s: %s", address, answer)
	}
	for i := range 16 {
		address := fmt.Sprintf("/dev/tcp/203.0.113.%d/53", i+1)
		answer, err := p.try("exec", "box", "--", "timeout", "2", "bash", "-c", "exec 3<>"+address)
		assert.ErrorContains(p.t, err, "exit status 1", "%s: a container has a way out, or waits for an answer (124): %s", address, answer)
	}
	assert.EventuallyWithT(p.t, func(c *assert.CollectT) {
		events, err := p.try("get", "events")
		assert.NoError(c, err)
		assert.Contains(c, events, "may not use this node's network")
	}, 30*time.Second, 200*time.Millisecond, "a pod that wants the node's network is told why it gets none")
	processes := p.kubectl("exec", "box", "--", "bash", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
	assert.NotContains(p.t, processes, "kube-apiserver")
	assert.NotContains(p.t, processes, "__node")
	marker := filepath.Join(p.t.TempDir(), "marker")
	require.NoError(p.t, os.WriteFile(marker, nil, 0o644))
	for _, path := range []string{marker, "/var/lib/kubelet", "/run/meshfed", "/dev/sda", "/dev/vda"} {
		_, err = p.try("exec", "box", "--", "test", "-e", path)
		assert.ErrorContains(p.t, err, "exit status 1", "%s: the root of a container is its own", path)
	}
	p.kubectl("exec", "box", "--", "test", "-e", "/usr/local/bin/pilot-agent")
	_, err = p.try("exec", "box", "--", "bash", "-c", "mount -t proc proc /mnt || mknod /dev/x b 8 0")
	assert.Error(p.t, err, "it has no power over the machine")
}

// hostAddresses are those of the machine, the lab's maker.
func hostAddresses(t *testing.T) []string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	require.NoError(t, err)
	addresses := []string{"127.0.0.1"}
	for _, a := range all {
		if ip, is := a.(*net.IPNet); is && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			addresses = append(addresses, ip.IP.String())
		}
	}
	return addresses
}
