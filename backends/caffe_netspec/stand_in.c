/* A stand-in for the library with which Caffe reads and writes image files, and which this backend does not use.

   A function of it says that it was called, and aborts. */

#include <stdio.h>
#include <stdlib.h>

#define REFUSED(name) \
    void name(void) \
    { \
        fprintf(stderr, "%s was called: this library is a stand-in, which has no image files\n", #name); \
        abort(); \
    }

/* cv::imread, cv::imdecode and cv::imencode, as the C++ compiler names them. */
REFUSED(_ZN2cv6imreadERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEi)
REFUSED(_ZN2cv8imdecodeERKNS_11_InputArrayEi)
REFUSED(_ZN2cv8imencodeERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERKNS_11_InputArrayERSt6vectorIhSaIhEERKSB_IiSaIiEE)
